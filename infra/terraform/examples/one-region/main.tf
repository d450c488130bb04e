# The hub in the security account, and the whole organization's functions of one region scanned.
# The security account is a delegated administrator for CloudFormation StackSets.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.41, < 7.0"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}

variable "scanner_image_uri" {
  type        = string
  description = "The worker's image, as `scanhub rollout image` prints it."
}

module "hub" {
  source = "../../hub"

  scanner_image_uri = var.scanner_image_uri
  create_network    = true
}

# It lands in the state, as all that Terraform reads does: keep the state encrypted, and for few eyes.
data "aws_secretsmanager_secret_version" "external_id" {
  secret_id = module.hub.external_id_secret_arn
}

module "spokes" {
  source = "../../spokes"

  regions             = ["eu-central-1"]
  hub_bus_arn         = module.hub.bus_arn
  hub_task_role_arn   = module.hub.task_role_arn
  spoke_role_name     = module.hub.spoke_role_name
  spoke_role_path     = module.hub.spoke_role_path
  scanner_external_id = data.aws_secretsmanager_secret_version.external_id.secret_string
}

output "qualys_secret_arn" {
  description = "Put the Qualys POD and token in here, by hand."
  value       = module.hub.qualys_secret_arn
}
