"""The templates under checkov and cfn-guard: `python -m tests.templates`."""
