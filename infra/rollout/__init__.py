"""Deploys hub and spokes to AWS, shows what is missing where, and takes them away again."""
