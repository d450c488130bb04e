# What stands beside the hub

variable "create_network" {
  type        = bool
  description = "Whether a small VPC is made for the worker (infra/hub-network.yaml); otherwise vpc_id and subnet_ids name one that there is."
  default     = false
  nullable    = false

  validation {
    condition     = !var.create_network || (var.vpc_id == null && var.subnet_ids == null)
    error_message = "create_network makes a VPC of its own: leave vpc_id and subnet_ids out."
  }
}

variable "network_parameters" {
  type        = map(string)
  description = "Parameters of infra/hub-network.yaml that differ from their defaults."
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.network_parameters), ["FlowLogRetentionDays", "FlowLogs", "InterfaceEndpoints", "VpcCidr"])) == 0
    error_message = "network_parameters holds a name that infra/hub-network.yaml has no parameter of."
  }
}

variable "create_monitoring" {
  type        = bool
  description = "Whether alarms and the dashboard are made (infra/hub-monitoring.yaml), or only scaling."
  default     = true
  nullable    = false
}

variable "monitoring_parameters" {
  type        = map(string)
  description = "Parameters of infra/hub-monitoring.yaml that differ from their defaults."
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.monitoring_parameters), ["EnableAlarms", "EventBusName", "MissingTasksPercent", "NoAccessQuarters", "OldestChangeSeconds", "SweepOverdueHours"])) == 0
    error_message = "monitoring_parameters holds a name that infra/hub-monitoring.yaml has no parameter of, or that has a variable of its own."
  }
}

variable "notification_arns" {
  type        = list(string)
  description = "SNS topics that hear of each event of the stacks."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.notification_arns : can(regex("^arn:aws[a-z-]*:sns:", arn))])
    error_message = "notification_arns must hold ARNs of SNS topics."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of the stacks and of what they hold."
  default     = {}
  nullable    = false
}

# The template's parameters; null stands for the template's own default

variable "spoke_role_name" {
  type        = string
  description = "The role that the worker assumes in each member account."
  default     = null

  validation {
    condition     = var.spoke_role_name == null ? true : can(regex("^[\\w+=,.@-]{1,64}$", var.spoke_role_name))
    error_message = "spoke_role_name must match ^[\\w+=,.@-]{1,64}$."
  }
}

variable "spoke_role_path" {
  type        = string
  description = "The IAM path of that role, the same in every account."
  default     = null

  validation {
    condition     = var.spoke_role_path == null ? true : can(regex("^/([\\w+=,.@-]+/)*$", var.spoke_role_path))
    error_message = "spoke_role_path must match ^/([\\w+=,.@-]+/)*$."
  }
}

variable "event_bus_name" {
  type        = string
  description = "The bus that the spokes forward to; it keeps its name."
  default     = null

  validation {
    condition     = var.event_bus_name == null ? true : can(regex("^[\\w.-]{1,200}$", var.event_bus_name))
    error_message = "event_bus_name must match ^[\\w.-]{1,200}$."
  }
}

variable "archive_days" {
  type        = number
  description = "Days for which events stay in the archive, from where they can be replayed; 0 keeps them for ever."
  default     = null

  validation {
    condition     = var.archive_days == null ? true : var.archive_days >= 0 && var.archive_days <= 3650
    error_message = "archive_days must be at least 0, at most 3650."
  }
}

variable "qualys_secret_arn" {
  type        = string
  description = "A secret of yours with the Qualys POD and token. Left empty, an empty one is created: put the JSON in by `aws secretsmanager put-secret-value` before the worker starts. The token is never a parameter."
  default     = null

  validation {
    condition     = var.qualys_secret_arn == null ? true : can(regex("^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:.+)?$", var.qualys_secret_arn))
    error_message = "qualys_secret_arn must match ^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:.+)?$."
  }
}

variable "qualys_secret_kms_key_arn" {
  type        = string
  description = "The KMS key of that secret of yours, if it has one of its own."
  default     = null

  validation {
    condition     = var.qualys_secret_kms_key_arn == null ? true : can(regex("^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+)?$", var.qualys_secret_kms_key_arn))
    error_message = "qualys_secret_kms_key_arn must match ^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/.+)?$."
  }
}

variable "scanner_image_uri" {
  type        = string
  description = "The worker's image, by digest for preference. Left empty, nothing runs. Give the Qualys secret its value first: a worker without one ends at once, and ECS gives the deployment up."
  default     = null
}

variable "image_repository_name" {
  type        = string
  description = "The ECR repository of the image, in this account and region or in others of the organization."
  default     = null

  validation {
    condition     = var.image_repository_name == null ? true : can(regex("^[a-z0-9][a-z0-9._/-]{1,255}$", var.image_repository_name))
    error_message = "image_repository_name must match ^[a-z0-9][a-z0-9._/-]{1,255}$."
  }
}

variable "vpc_id" {
  type        = string
  description = "The VPC of the worker."
  default     = null

  validation {
    condition     = var.vpc_id == null ? true : can(regex("^(vpc-[0-9a-f]+)?$", var.vpc_id))
    error_message = "vpc_id must match ^(vpc-[0-9a-f]+)?$."
  }
}

variable "subnet_ids" {
  type        = list(string)
  description = "The worker's subnets, with a way to AWS's endpoints and to Qualys on port 443."
  default     = null
}

variable "assign_public_ip" {
  type        = string
  description = "Only for public subnets without a NAT gateway."
  default     = null

  validation {
    condition     = var.assign_public_ip == null ? true : contains(["ENABLED", "DISABLED"], var.assign_public_ip)
    error_message = "assign_public_ip must be one of: ENABLED, DISABLED."
  }
}

variable "cpu_architecture" {
  type        = string
  description = "That of the image and of the scanner binary in it."
  default     = null

  validation {
    condition     = var.cpu_architecture == null ? true : contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture must be one of: X86_64, ARM64."
  }
}

variable "task_cpu" {
  type        = string
  description = "CPU units of a task; 1,024 are one CPU."
  default     = null

  validation {
    condition     = var.task_cpu == null ? true : contains(["1024", "2048", "4096", "8192", "16384"], var.task_cpu)
    error_message = "task_cpu must be one of: 1024, 2048, 4096, 8192, 16384."
  }
}

variable "task_memory" {
  type        = string
  description = "MiB of a task; what Fargate allows for `TaskCpu`."
  default     = null

  validation {
    condition     = var.task_memory == null ? true : can(regex("^\\d{4,6}$", var.task_memory))
    error_message = "task_memory must match ^\\d{4,6}$."
  }
}

variable "task_disk_gib" {
  type        = number
  description = "Ephemeral disk of a task. An image function may need 10 GB compressed and as much again unpacked."
  default     = null

  validation {
    condition     = var.task_disk_gib == null ? true : var.task_disk_gib >= 21 && var.task_disk_gib <= 200
    error_message = "task_disk_gib must be at least 21, at most 200."
  }
}

variable "min_tasks" {
  type        = number
  description = "Tasks that always run. With 0, a change waits five minutes for a task, and up to 20 after six hours of silence (SQS then tells CloudWatch late)."
  default     = null

  validation {
    condition     = var.min_tasks == null ? true : var.min_tasks >= 0 && var.min_tasks <= 100
    error_message = "min_tasks must be at least 0, at most 100."
  }
}

variable "max_tasks" {
  type        = number
  description = "Tasks that run at the most."
  default     = null

  validation {
    condition     = var.max_tasks == null ? true : var.max_tasks >= 1 && var.max_tasks <= 1000
    error_message = "max_tasks must be at least 1, at most 1000."
  }
}

variable "backlog_per_task" {
  type        = number
  description = "Messages that wait in both queues for each running task; what is beyond it brings more tasks."
  default     = null

  validation {
    condition     = var.backlog_per_task == null ? true : var.backlog_per_task >= 1
    error_message = "backlog_per_task must be at least 1."
  }
}

variable "max_change_age" {
  type        = number
  description = "Seconds; when the oldest change is older while others wait, a task is added, above twice as much two."
  default     = null

  validation {
    condition     = var.max_change_age == null ? true : var.max_change_age >= 60 && var.max_change_age <= 43200
    error_message = "max_change_age must be at least 60, at most 43200."
  }
}

variable "spot_share" {
  type        = number
  description = "Percent of the tasks on Fargate Spot: cheaper, but AWS takes them back at two minutes' notice, whatever they scan."
  default     = null

  validation {
    condition     = var.spot_share == null ? true : contains([0, 25, 50, 75, 100], var.spot_share)
    error_message = "spot_share must be one of: 0, 25, 50, 75, 100."
  }
}

variable "bulk_scan_schedule" {
  type        = string
  description = "When all functions are swept, as a rate(...) or cron(...) of EventBridge Scheduler; empty is never."
  default     = null

  validation {
    condition     = var.bulk_scan_schedule == null ? true : can(regex("^((rate|cron)\\(.+\\))?$", var.bulk_scan_schedule))
    error_message = "bulk_scan_schedule must match ^((rate|cron)\\(.+\\))?$."
  }
}

variable "sweep_regions" {
  type        = string
  description = "Comma list of regions to sweep; left empty, all that are enabled in each account."
  default     = null

  validation {
    condition     = var.sweep_regions == null ? true : can(regex("^([a-z]{2,4}(-[a-z]+)+-\\d(, ?[a-z]{2,4}(-[a-z]+)+-\\d)*)?$", var.sweep_regions))
    error_message = "sweep_regions must match ^([a-z]{2,4}(-[a-z]+)+-\\d(, ?[a-z]{2,4}(-[a-z]+)+-\\d)*)?$."
  }
}

variable "sweep_versions" {
  type        = bool
  description = "Whether published versions with an alias or provisioned concurrency are swept too."
  default     = null
}

variable "sweep_per_minute" {
  type        = number
  description = "Scan requests that a sweep queues in a minute; 0 is without a limit."
  default     = null

  validation {
    condition     = var.sweep_per_minute == null ? true : var.sweep_per_minute >= 0 && var.sweep_per_minute <= 100000
    error_message = "sweep_per_minute must be at least 0, at most 100000."
  }
}

variable "qscanner_mode" {
  type        = string
  description = "How far the scanner goes."
  default     = null

  validation {
    condition     = var.qscanner_mode == null ? true : contains(["inventory-only", "scan-only", "get-report", "evaluate-policy"], var.qscanner_mode)
    error_message = "qscanner_mode must be one of: inventory-only, scan-only, get-report, evaluate-policy."
  }
}

variable "qscanner_policy_tags" {
  type        = string
  description = "Comma list of policy tags, only with the mode evaluate-policy."
  default     = null
}

variable "scan_types" {
  type        = string
  description = "What to scan for."
  default     = null
}

variable "scan_timeout" {
  type        = number
  description = "Seconds until a scan is ended."
  default     = null

  validation {
    condition     = var.scan_timeout == null ? true : var.scan_timeout >= 60 && var.scan_timeout <= 21600
    error_message = "scan_timeout must be at least 60, at most 21600."
  }
}

variable "max_concurrent_scans" {
  type        = string
  description = "Scans at once in a task; left empty, two a CPU."
  default     = null

  validation {
    condition     = var.max_concurrent_scans == null ? true : can(regex("^([1-9]\\d?)?$", var.max_concurrent_scans))
    error_message = "max_concurrent_scans must match ^([1-9]\\d?)?$."
  }
}

variable "max_scans_per_account" {
  type        = string
  description = "Of them for one account; left empty, three quarters."
  default     = null

  validation {
    condition     = var.max_scans_per_account == null ? true : can(regex("^([1-9]\\d?)?$", var.max_scans_per_account))
    error_message = "max_scans_per_account must match ^([1-9]\\d?)?$."
  }
}

variable "cache_ttl_days" {
  type        = number
  description = "Days for which a result is fresh."
  default     = null

  validation {
    condition     = var.cache_ttl_days == null ? true : var.cache_ttl_days >= 1 && var.cache_ttl_days <= 365
    error_message = "cache_ttl_days must be at least 1, at most 365."
  }
}

variable "change_target" {
  type        = number
  description = "Seconds within which a change is to be scanned; `scanhub coverage` tells the share."
  default     = null

  validation {
    condition     = var.change_target == null ? true : var.change_target >= 60 && var.change_target <= 86400
    error_message = "change_target must be at least 60, at most 86400."
  }
}

variable "exclude_accounts" {
  type        = string
  description = "Comma list of accounts in which nothing is scanned."
  default     = null

  validation {
    condition     = var.exclude_accounts == null ? true : can(regex("^(\\d{12}(, ?\\d{12})*)?$", var.exclude_accounts))
    error_message = "exclude_accounts must match ^(\\d{12}(, ?\\d{12})*)?$."
  }
}

variable "exclude_functions" {
  type        = string
  description = "Comma list of function name patterns that are never scanned."
  default     = null
}

variable "exclusion_tag" {
  type        = string
  description = "A function with this tag is not scanned."
  default     = null
}

variable "enable_tagging" {
  type        = bool
  description = "Whether scanned functions get the tags QualysScanTimestamp, QualysScanStatus and QualysScanTag."
  default     = null
}

variable "enable_sns_notifications" {
  type        = bool
  description = "Whether the worker publishes findings to the topic. Alarms go there in any case."
  default     = null
}

variable "notify_severity" {
  type        = string
  description = "The least severity of a vulnerability worth a notification."
  default     = null

  validation {
    condition     = var.notify_severity == null ? true : contains(["informational", "low", "medium", "high", "critical"], var.notify_severity)
    error_message = "notify_severity must be one of: informational, low, medium, high, critical."
  }
}

variable "log_level" {
  type        = string
  description = "The least level that is logged."
  default     = null

  validation {
    condition     = var.log_level == null ? true : contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level must be one of: DEBUG, INFO, WARNING, ERROR."
  }
}

variable "max_receive_count" {
  type        = number
  description = "Receives after which SQS itself moves a message to the dead-letter queue. Only a last net: the worker parks by failures that it counts itself, and a message is also received for waiting."
  default     = null

  validation {
    condition     = var.max_receive_count == null ? true : var.max_receive_count >= 100 && var.max_receive_count <= 1000
    error_message = "max_receive_count must be at least 100, at most 1000."
  }
}

variable "results_expiration_days" {
  type        = number
  description = "Days after which results are deleted; 0 keeps them."
  default     = null

  validation {
    condition     = var.results_expiration_days == null ? true : var.results_expiration_days >= 0
    error_message = "results_expiration_days must be at least 0."
  }
}

variable "access_logs_bucket" {
  type        = string
  description = "A bucket of this account and region, ready to take S3's access logs of the results; empty for none."
  default     = null

  validation {
    condition     = var.access_logs_bucket == null ? true : can(regex("^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$", var.access_logs_bucket))
    error_message = "access_logs_bucket must match ^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$."
  }
}

variable "log_retention_days" {
  type        = number
  description = "Days for which the worker's logs are kept."
  default     = null

  validation {
    condition     = var.log_retention_days == null ? true : contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether the ledger table refuses to be deleted."
  default     = null
}
