# What is looked up rather than asked for. Each account of an organization may ask for its id.

data "aws_organizations_organization" "this" {}

locals {
  organization_id = data.aws_organizations_organization.this.id
}
