"""The sample photo app: a static page that signs people in and keeps their photos in S3.

It speaks to Cognate only as any app would, over the network. Served in development alone.
"""
