output "stack_set_id" {
  description = "The StackSet's, with the unique part."
  value       = aws_cloudformation_stack_set.spoke.stack_set_id
}

output "primary_region" {
  description = "Where the roles are made."
  value       = local.primary
}

output "instances" {
  description = "The state of each stack of the StackSet: account, region, status and its reason."
  value = [
    for one in aws_cloudformation_stack_instances.spoke.stack_instance_summaries : {
      account = one.account_id
      region  = one.region
      status  = one.detailed_status
      reason  = one.status_reason
    }
  ]
}
