output "stack_set_id" {
  description = "The id, with the unique part, of the StackSet of the primary region."
  value       = aws_cloudformation_stack_set.spoke.stack_set_id
}

output "regions_stack_set_id" {
  description = "The id of the StackSet of the other regions; null without any."
  value       = one(aws_cloudformation_stack_set.regions[*].stack_set_id)
}

output "primary_region" {
  description = "Where the roles are made."
  value       = local.primary
}

output "instances" {
  description = "The state of each stack of both StackSets: account, region, status and its reason."
  value = [
    for summary in concat(
      aws_cloudformation_stack_instances.spoke.stack_instance_summaries,
      flatten(aws_cloudformation_stack_instances.regions[*].stack_instance_summaries),
      ) : {
      account = summary.account_id
      region  = summary.region
      status  = summary.detailed_status
      reason  = summary.status_reason
    }
  ]
}
