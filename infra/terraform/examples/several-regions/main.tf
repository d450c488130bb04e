# The hub in the security account; functions of three regions and two organizational units scanned, and those of the
# management account, from where the StackSet is managed.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.41, < 7.0"
    }
  }
}

variable "security_account" {
  type        = string
  description = "The security account: twelve digits."

  validation {
    condition     = can(regex("^\\d{12}$", var.security_account))
    error_message = "security_account must have twelve digits."
  }
}

variable "scanner_image_uri" {
  type        = string
  description = "The worker's image, as `scanhub rollout image` prints it."
}

variable "vpc_id" {
  type        = string
  description = "A VPC of the security account with a way to AWS's endpoints and to Qualys."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Its private subnets."
}

variable "organizational_unit_ids" {
  type        = list(string)
  description = "The organizational units whose accounts are scanned."
}

# The management account's own credentials.
provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "security"
  region = "eu-central-1"

  assume_role {
    role_arn = "arn:aws:iam::${var.security_account}:role/OrganizationAccountAccessRole"
  }
}

module "hub" {
  source    = "../../hub"
  providers = { aws = aws.security }

  scanner_image_uri = var.scanner_image_uri
  vpc_id            = var.vpc_id
  subnet_ids        = var.subnet_ids
  cpu_architecture  = "ARM64"
  spot_share        = 50
  max_tasks         = 40
  monitoring_parameters = {
    EnableAlarms = "true"
  }
}

# It lands in the state, as all that Terraform reads does: keep the state encrypted, and for few eyes.
data "aws_secretsmanager_secret_version" "external_id" {
  provider  = aws.security
  secret_id = module.hub.external_id_secret_arn
}

module "spokes" {
  source = "../../spokes"

  # The first region makes the roles.
  regions                 = ["eu-central-1", "eu-west-1", "us-east-1"]
  organizational_unit_ids = var.organizational_unit_ids
  management_account      = true
  call_as                 = "SELF"
  hub_bus_arn             = module.hub.bus_arn
  hub_task_role_arn       = module.hub.task_role_arn
  spoke_role_name         = module.hub.spoke_role_name
  spoke_role_path         = module.hub.spoke_role_path
  scanner_external_id     = data.aws_secretsmanager_secret_version.external_id.secret_string
  decrypt_code            = true
}

output "qualys_secret_arn" {
  description = "Put the Qualys POD and token in here, by hand."
  value       = module.hub.qualys_secret_arn
}

output "instances" {
  description = "What became of each account and region."
  value       = module.spokes.instances
}
