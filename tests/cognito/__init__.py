"""The operations of the wire API, spoken to by boto3."""
