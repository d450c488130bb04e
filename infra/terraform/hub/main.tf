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
  count      = var.create_monitoring ? 1 : 0
  depends_on = [aws_cloudformation_stack.hub]

  name              = "scanhub-hub-monitoring"
  template_body     = file("${local.templates}/hub-monitoring.yaml")
  parameters        = var.monitoring_parameters
  capabilities      = ["CAPABILITY_NAMED_IAM"]
  notification_arns = var.notification_arns
  tags              = var.tags
}
