"""The sample photo app: a static page that signs people in and puts photos into S3 by credentials from an identity pool.

It speaks to Cognate only as any app would, over the network. Served in development alone.
"""
