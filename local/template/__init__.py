"""Reads template.yaml: the CloudFormation intrinsics, and the parts that are emulated."""
