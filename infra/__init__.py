"""CloudFormation for hub and spoke, and the embedded local cloud that deploys the same templates."""
