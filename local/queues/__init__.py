"""Emulates Amazon SQS: queues, the calls of boto3, and Lambda's event source mappings."""
