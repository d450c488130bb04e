# The hub: infra/hub.yaml once, in the region that shall keep the results, with the security account's credentials.

locals {
  templates = "${path.module}/../.."
  vpc_id    = var.create_network ? aws_cloudformation_stack.network[0].outputs["VpcId"] : var.vpc_id
  subnet_ids = (
    var.create_network ? aws_cloudformation_stack.network[0].outputs["SubnetIds"] :
    var.subnet_ids == null ? null : join(",", var.subnet_ids)
  )
}

resource "aws_cloudformation_stack" "network" {
  #checkov:skip=CKV_AWS_124:who hears of its events is given by notification_arns
  count = var.create_network ? 1 : 0

  name              = "scanhub-hub-network"
  template_body     = file("${local.templates}/hub-network.yaml")
  parameters        = var.network_parameters
  capabilities      = ["CAPABILITY_NAMED_IAM"]
  notification_arns = var.notification_arns
  tags              = var.tags
}

resource "aws_cloudformation_stack" "hub" {
  #checkov:skip=CKV_AWS_124:who hears of its events is given by notification_arns
  name              = "scanhub-hub"
  template_body     = file("${local.templates}/hub.yaml")
  parameters        = local.parameters
  capabilities      = ["CAPABILITY_NAMED_IAM"]
  notification_arns = var.notification_arns
  tags              = var.tags

  timeouts {
    # A deployment waits for tasks that still scan.
    update = "3h"
  }
}

resource "aws_cloudformation_stack" "monitoring" {
  #checkov:skip=CKV_AWS_124:who hears of its events is given by notification_arns
  # Scaling lies in it: without alarms and dashboard it is there for a worker all the same.
  count = var.create_monitoring ? 1 : local.runs_worker ? 1 : 0

  name          = "scanhub-hub-monitoring"
  template_body = file("${local.templates}/hub-monitoring.yaml")
  # By what they read the hub's stack comes first: of an older template, it lets go of the scaling that is made here.
  parameters = merge(
    local.monitoring_parameters,
    {
      EventBusName      = split("/", aws_cloudformation_stack.hub.outputs["BusArn"])[1]
      ServiceName       = lookup(aws_cloudformation_stack.hub.outputs, "ServiceName", "")
      SweepScheduleName = lookup(aws_cloudformation_stack.hub.outputs, "SweepScheduleName", "")
    },
    var.monitoring_parameters,
  )
  capabilities      = ["CAPABILITY_NAMED_IAM"]
  notification_arns = var.notification_arns
  tags              = var.tags
}
