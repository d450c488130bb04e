# What is looked up rather than asked for.

data "aws_organizations_organization" "this" {}

locals {
  organization_id         = data.aws_organizations_organization.this.id
  organizational_unit_ids = length(var.organizational_unit_ids) > 0 ? var.organizational_unit_ids : [data.aws_organizations_organization.this.roots[0].id]
}
