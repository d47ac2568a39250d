"""Identity providers of a pool: made, told, changed, deleted; which of their people are linked to which of ours.

It does not own how a provider is spoken to, which is behind ``ports.provider_kinds``; nor whose a login is, which is
``people.external_logins``; nor signing somebody in by one; nor by which an app lets people come (``client_settings``).
"""
