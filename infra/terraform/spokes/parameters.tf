# What infra/spoke.yaml is given. All of its parameters stand here: those left out would show as a change at every plan.

locals {
  parameters = {
    AlarmTopicArn          = var.alarm_topic_arn
    CodeKeyArns            = join(",", var.code_key_arns)
    CreateAlarm            = tostring(var.create_alarm)
    DecryptCode            = tostring(var.decrypt_code)
    EnableTagging          = tostring(var.enable_tagging)
    HubBusArn              = var.hub_bus_arn
    HubTaskRoleArn         = var.hub_task_role_arn
    OrganizationId         = local.organization_id
    PermissionsBoundaryArn = var.permissions_boundary_arn
    RoleRegion             = local.primary
    ScannerExternalId      = var.scanner_external_id
    SpokeRoleName          = var.spoke_role_name
    SpokeRolePath          = var.spoke_role_path
  }
}
