terraform {
  # Validations here name more than one variable.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.0 gave each resource a region of its own.
      version = ">= 6.0, < 7.0"
    }
  }
}
