"""What operators see: console pages, the management API and its documentation, the mailbox of captured messages.

Decides nothing: every verb is a service's, the same that the wire API calls.
"""
