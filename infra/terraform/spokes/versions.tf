terraform {
  # Validations here name more than one variable.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.41 knows auto_deployment.depends_on_stack_sets.
      version = ">= 6.41, < 7.0"
    }
  }
}
