# What infra/hub.yaml is given: what is not null. The template knows the defaults.

locals {
  given = {
    AccessLogsBucket       = var.access_logs_bucket
    ArchiveDays            = var.archive_days
    AssignPublicIp         = var.assign_public_ip
    BulkScanSchedule       = var.bulk_scan_schedule
    CacheTTLDays           = var.cache_ttl_days
    ChangeTarget           = var.change_target
    CpuArchitecture        = var.cpu_architecture
    DeletionProtection     = var.deletion_protection
    EnableSNSNotifications = var.enable_sns_notifications
    EnableTagging          = var.enable_tagging
    EventBusName           = var.event_bus_name
    ExcludeAccounts        = var.exclude_accounts
    ExcludeFunctions       = var.exclude_functions
    ExclusionTag           = var.exclusion_tag
    ImageRepositoryName    = var.image_repository_name
    LogLevel               = var.log_level
    LogRetentionDays       = var.log_retention_days
    MaxConcurrentScans     = var.max_concurrent_scans
    MaxReceiveCount        = var.max_receive_count
    MaxScansPerAccount     = var.max_scans_per_account
    NotifySeverity         = var.notify_severity
    OrganizationId         = local.organization_id
    QscannerMode           = var.qscanner_mode
    QscannerPolicyTags     = var.qscanner_policy_tags
    QualysSecretArn        = var.qualys_secret_arn
    QualysSecretKmsKeyArn  = var.qualys_secret_kms_key_arn
    ResultsExpirationDays  = var.results_expiration_days
    ScanTimeout            = var.scan_timeout
    ScanTypes              = var.scan_types
    ScannerImageUri        = var.scanner_image_uri
    SpokeRoleName          = var.spoke_role_name
    SpokeRolePath          = var.spoke_role_path
    SpotShare              = var.spot_share
    SubnetIds              = local.subnet_ids
    SweepPerMinute         = var.sweep_per_minute
    SweepRegions           = var.sweep_regions
    SweepVersions          = var.sweep_versions
    TaskCpu                = var.task_cpu
    TaskDiskGiB            = var.task_disk_gib
    TaskMemory             = var.task_memory
    VpcId                  = local.vpc_id
  }

  parameters = { for name, value in local.given : name => tostring(value) if value != null }

  # What infra/hub-monitoring.yaml is given, besides the hub's outputs and monitoring_parameters.
  given_to_monitoring = {
    BacklogPerTask   = var.backlog_per_task
    EnableMonitoring = var.create_monitoring
    MaxChangeAge     = var.max_change_age
    MaxTasks         = var.max_tasks
    MinTasks         = var.min_tasks
  }

  monitoring_parameters = { for name, value in local.given_to_monitoring : name => tostring(value) if value != null }

  runs_worker = var.scanner_image_uri == null ? false : var.scanner_image_uri != ""
}
