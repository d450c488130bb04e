# Two StackSets of infra/spoke.yaml in every account of the given organizational units: `scanhub-spoke` in the primary
# region, whose stacks make the roles, and `scanhub-spoke-regions` in all others, whose rules name them. One StackSet
# would do for what is applied here, by the order of its regions; but an account that joins is covered in no order of
# regions, only in that of StackSets. To be applied with the management account's credentials, or those of a delegated
# administrator for StackSets.

locals {
  primary  = var.regions[0]
  others   = slice(var.regions, 1, length(var.regions))
  template = file("${path.module}/../../spoke.yaml")

  # CloudFormation answers for a NoEcho parameter with asterisks. The provider takes them for a change at every plan; told to
  # ignore that, it sends the asterisks themselves at the next update. The value is no secret where it goes: each scan
  # role's trust policy shows it.
  readable_template = replace(local.template, "NoEcho: true", "NoEcho: false")
}

resource "aws_cloudformation_stack_set" "spoke" {
  name             = "scanhub-spoke"
  description      = "Forwards Lambda change events to the hub, and lets the hub's worker read functions"
  template_body    = local.readable_template
  parameters       = local.parameters
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  permission_model = "SERVICE_MANAGED"
  call_as          = var.call_as
  tags             = var.tags

  # Accounts that join are covered; those that leave lose the roles.
  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }

  managed_execution {
    active = true
  }

  operation_preferences {
    failure_tolerance_percentage = var.failure_tolerance_percentage
    max_concurrent_percentage    = var.max_concurrent_percentage
  }

  timeouts {
    update = var.timeout
  }

  lifecycle {
    # It conflicts with auto_deployment, and AWS answers with one all the same.
    ignore_changes = [administration_role_arn]

    precondition {
      condition     = length(local.template) - length(local.readable_template) == -1
      error_message = "infra/spoke.yaml should have one NoEcho parameter, ScannerExternalId."
    }
  }
}

resource "aws_cloudformation_stack_instances" "spoke" {
  stack_set_name = aws_cloudformation_stack_set.spoke.name
  regions        = [local.primary]
  call_as        = var.call_as

  deployment_targets {
    organizational_unit_ids = local.organizational_unit_ids
  }

  operation_preferences {
    failure_tolerance_percentage = var.failure_tolerance_percentage
    max_concurrent_percentage    = var.max_concurrent_percentage
  }

  timeouts {
    create = var.timeout
    update = var.timeout
    delete = var.timeout
  }
}

resource "aws_cloudformation_stack_set" "regions" {
  count = length(local.others) > 0 ? 1 : 0

  # The first one's stacks make the roles, and take their updates first.
  depends_on = [aws_cloudformation_stack_instances.spoke]

  name             = "scanhub-spoke-regions"
  description      = "Forwards Lambda change events of the other regions to the hub"
  template_body    = local.readable_template
  parameters       = local.parameters
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  permission_model = "SERVICE_MANAGED"
  call_as          = var.call_as
  tags             = var.tags

  # What an account that joins gets only after its roles.
  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
    depends_on_stack_sets            = [aws_cloudformation_stack_set.spoke.arn]
  }

  managed_execution {
    active = true
  }

  operation_preferences {
    region_concurrency_type      = "PARALLEL"
    failure_tolerance_percentage = var.failure_tolerance_percentage
    max_concurrent_percentage    = var.max_concurrent_percentage
  }

  timeouts {
    update = var.timeout
  }

  lifecycle {
    ignore_changes = [administration_role_arn]
  }
}

resource "aws_cloudformation_stack_instances" "regions" {
  count = length(local.others) > 0 ? 1 : 0

  stack_set_name = aws_cloudformation_stack_set.regions[0].name
  regions        = local.others
  call_as        = var.call_as

  deployment_targets {
    organizational_unit_ids = local.organizational_unit_ids
  }

  operation_preferences {
    region_concurrency_type      = "PARALLEL"
    failure_tolerance_percentage = var.failure_tolerance_percentage
    max_concurrent_percentage    = var.max_concurrent_percentage
  }

  timeouts {
    create = var.timeout
    update = var.timeout
    delete = var.timeout
  }
}

# StackSets never reach the management account: it gets stacks of its own.

resource "aws_cloudformation_stack" "management_primary" {
  #checkov:skip=CKV_AWS_124:who hears of its events is given by notification_arns
  count = var.management_account ? 1 : 0

  region            = local.primary
  name              = "scanhub-spoke"
  template_body     = local.readable_template
  parameters        = local.parameters
  capabilities      = ["CAPABILITY_NAMED_IAM"]
  notification_arns = var.notification_arns
  tags              = var.tags
}

resource "aws_cloudformation_stack" "management_further" {
  #checkov:skip=CKV_AWS_124:who hears of its events is given by notification_arns
  for_each   = var.management_account ? toset(local.others) : toset([])
  depends_on = [aws_cloudformation_stack.management_primary]

  region            = each.value
  name              = "scanhub-spoke"
  template_body     = local.readable_template
  parameters        = local.parameters
  capabilities      = ["CAPABILITY_NAMED_IAM"]
  notification_arns = var.notification_arns
  tags              = var.tags
}
