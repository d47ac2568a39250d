"""What browser-facing adapters and federation share: cookies, form guard, page request, problem pages, resume.

Owns no rule (those are the services') and no page of its own (those are ``hosted``'s); it knows URL names of both
adapters and imports neither.
"""
