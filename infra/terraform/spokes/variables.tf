# Where the spokes are

variable "regions" {
  type        = list(string)
  description = "The regions whose functions are scanned. The first is the primary one: its stacks make the roles. Once deployed, it stays the first."
  nullable    = false

  validation {
    condition     = length(var.regions) > 0 && length(distinct(var.regions)) == length(var.regions)
    error_message = "regions must name at least one region, and none twice."
  }

  validation {
    condition     = alltrue([for region in var.regions : can(regex("^[a-z]{2,4}(-[a-z]+)+-\\d$", region))])
    error_message = "regions must hold region codes, such as eu-central-1."
  }
}

variable "organizational_unit_ids" {
  type        = list(string)
  description = "The organizational units whose accounts are scanned. Left empty, the whole organization."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.organizational_unit_ids : can(regex("^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})$", id))])
    error_message = "organizational_unit_ids must hold ids such as ou-ab12-cd34ef56 or r-ab12."
  }
}

variable "management_account" {
  type        = bool
  description = "Whether the account of the credentials, which must be the management account, gets stacks of its own: StackSets never reach it."
  default     = false
  nullable    = false
}

variable "call_as" {
  type        = string
  description = "SELF in the management account, DELEGATED_ADMIN in a delegated administrator's."
  default     = "DELEGATED_ADMIN"
  nullable    = false

  validation {
    condition     = contains(["SELF", "DELEGATED_ADMIN"], var.call_as)
    error_message = "call_as must be one of: SELF, DELEGATED_ADMIN."
  }

  validation {
    condition     = var.call_as == "SELF" || !var.management_account
    error_message = "management_account needs the management account's own credentials: call_as must be SELF."
  }
}

variable "failure_tolerance_percentage" {
  type        = number
  description = "Accounts of a region, in percent, that may fail before an operation stops there."
  default     = 10
  nullable    = false

  validation {
    condition     = var.failure_tolerance_percentage >= 0 && var.failure_tolerance_percentage <= 100
    error_message = "failure_tolerance_percentage must be from 0 to 100."
  }
}

variable "max_concurrent_percentage" {
  type        = number
  description = "Accounts of a region, in percent, that an operation takes at once."
  default     = 25
  nullable    = false

  validation {
    condition     = var.max_concurrent_percentage >= 1 && var.max_concurrent_percentage <= 100
    error_message = "max_concurrent_percentage must be from 1 to 100."
  }
}

variable "timeout" {
  type        = string
  description = "How long an operation over all accounts and regions may take, such as 3h."
  default     = "3h"
  nullable    = false
}

variable "notification_arns" {
  type        = list(string)
  description = "SNS topics that hear of each event of the management account's stacks."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.notification_arns : can(regex("^arn:aws[a-z-]*:sns:", arn))])
    error_message = "notification_arns must hold ARNs of SNS topics."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of the StackSets and of what their stacks hold."
  default     = {}
  nullable    = false
}

# The template's parameters

variable "hub_bus_arn" {
  type        = string
  description = "The hub's output BusArn."
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:events:[a-z0-9-]+:\\d{12}:event-bus/[\\w.-]+$", var.hub_bus_arn))
    error_message = "hub_bus_arn must match ^arn:aws[a-z-]*:events:[a-z0-9-]+:\\d{12}:event-bus/[\\w.-]+$."
  }
}

variable "hub_task_role_arn" {
  type        = string
  description = "The hub's output TaskRoleArn, the only principal that the scan role trusts."
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/[\\w+=,.@/-]+$", var.hub_task_role_arn))
    error_message = "hub_task_role_arn must match ^arn:aws[a-z-]*:iam::\\d{12}:role/[\\w+=,.@/-]+$."
  }
}

variable "scanner_external_id" {
  type        = string
  description = "The value of the secret that the hub's output ExternalIdSecretArn names."
  nullable    = false
  sensitive   = true

  validation {
    condition     = can(regex("^[\\w+=,.@:/-]+$", var.scanner_external_id))
    error_message = "scanner_external_id must match ^[\\w+=,.@:/-]+$."
  }
}

variable "spoke_role_name" {
  type        = string
  description = "The same as the hub's parameter of that name."
  default     = "scanhub-spoke"
  nullable    = false

  validation {
    condition     = can(regex("^[\\w+=,.@-]{1,64}$", var.spoke_role_name))
    error_message = "spoke_role_name must match ^[\\w+=,.@-]{1,64}$."
  }
}

variable "spoke_role_path" {
  type        = string
  description = "The same as the hub's parameter of that name; both roles lie there. To change it, take the spokes away first: an IAM role cannot move, and the new one would have the old one's name."
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([\\w+=,.@-]+/)*$", var.spoke_role_path))
    error_message = "spoke_role_path must match ^/([\\w+=,.@-]+/)*$."
  }
}

variable "permissions_boundary_arn" {
  type        = string
  description = "A permissions boundary for both roles. In a StackSet write policy/NAME, which is the policy of that name in each account; an ARN would name one account's."
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((arn:aws[a-z-]*:iam::(\\d{12}|aws):)?policy/[\\w+=,.@/-]+)?$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must match ^((arn:aws[a-z-]*:iam::(\\d{12}|aws):)?policy/[\\w+=,.@/-]+)?$."
  }
}

variable "enable_tagging" {
  type        = bool
  description = "Whether the worker may write the tags QualysScanTimestamp, QualysScanStatus and QualysScanTag."
  default     = true
  nullable    = false
}

variable "decrypt_code" {
  type        = bool
  description = "Whether the worker may read zip packages under a customer's own KMS key. Without it such functions are reported as UNREADABLE. With it GetFunction also shows the worker environment variables encrypted with the same keys."
  default     = false
  nullable    = false
}

variable "code_key_arns" {
  type        = list(string)
  description = "The keys that DecryptCode is about. Left empty, all of this account."
  default     = []
  nullable    = false
}

variable "create_alarm" {
  type        = bool
  description = "Whether each region gets two alarms on events that did not reach the hub."
  default     = false
  nullable    = false
}

variable "alarm_topic_arn" {
  type        = string
  description = "A topic that the alarms of its own region tell; CloudWatch reaches no topic of another region. It may be another account's whose policy admits these alarms."
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\\d{12}:[\\w-]{1,256})?$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must match ^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\\d{12}:[\\w-]{1,256})?$."
  }
}
