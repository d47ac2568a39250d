# pretend: federation/aws.py
# breaks: TID251
"""Makes a client of its own."""

import boto3

STS = boto3.client("sts")
