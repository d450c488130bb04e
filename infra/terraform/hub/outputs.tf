# Named like the template's outputs, and so like the settings.

output "changes_queue_url" {
  description = "The queue of changes."
  value       = aws_cloudformation_stack.hub.outputs["ChangesQueueUrl"]
}

output "changes_dlq_url" {
  description = "Changes that were parked, with their reasons."
  value       = aws_cloudformation_stack.hub.outputs["ChangesDlqUrl"]
}

output "sweep_queue_url" {
  description = "The sweep's queue."
  value       = aws_cloudformation_stack.hub.outputs["SweepQueueUrl"]
}

output "sweep_dlq_url" {
  description = "Of the sweep, what was parked."
  value       = aws_cloudformation_stack.hub.outputs["SweepDlqUrl"]
}

output "ledger_table" {
  description = "The ledger."
  value       = aws_cloudformation_stack.hub.outputs["LedgerTable"]
}

output "results_bucket" {
  description = "The results."
  value       = aws_cloudformation_stack.hub.outputs["ResultsBucket"]
}

output "results_kms_key_arn" {
  description = "The hub's key."
  value       = aws_cloudformation_stack.hub.outputs["ResultsKmsKeyArn"]
}

output "topic_arn" {
  description = "Notifications and alarms."
  value       = aws_cloudformation_stack.hub.outputs["TopicArn"]
}

output "qualys_secret_arn" {
  description = "The secret with the Qualys POD and token."
  value       = aws_cloudformation_stack.hub.outputs["QualysSecretArn"]
}

output "external_id_secret_arn" {
  description = "The secret whose value is scanner_external_id of the module spokes."
  value       = aws_cloudformation_stack.hub.outputs["ExternalIdSecretArn"]
}

output "spoke_role_name" {
  description = "The role that the worker assumes in each account."
  value       = aws_cloudformation_stack.hub.outputs["SpokeRoleName"]
}

output "spoke_role_path" {
  description = "Its path."
  value       = aws_cloudformation_stack.hub.outputs["SpokeRolePath"]
}

output "undelivered_queue_url" {
  description = "Events that could not be delivered to the changes queue."
  value       = aws_cloudformation_stack.hub.outputs["UndeliveredQueueUrl"]
}

output "bus_arn" {
  description = "Where the spokes forward to: hub_bus_arn of the module spokes."
  value       = aws_cloudformation_stack.hub.outputs["BusArn"]
}

output "task_role_arn" {
  description = "The worker's role, which the spokes trust: hub_task_role_arn of the module spokes."
  value       = aws_cloudformation_stack.hub.outputs["TaskRoleArn"]
}

output "cluster_name" {
  description = "The ECS cluster; null without the service."
  value       = lookup(aws_cloudformation_stack.hub.outputs, "ClusterName", null)
}

output "service_name" {
  description = "The ECS service; null without it."
  value       = lookup(aws_cloudformation_stack.hub.outputs, "ServiceName", null)
}

output "sweep_schedule_name" {
  description = "The sweep's schedule; null without one."
  value       = lookup(aws_cloudformation_stack.hub.outputs, "SweepScheduleName", null)
}
