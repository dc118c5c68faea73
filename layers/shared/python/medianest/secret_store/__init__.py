"""Secrets of a stack in Parameter Store, which CloudFormation cannot create there."""
