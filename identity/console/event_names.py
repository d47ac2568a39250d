"""What operators read of an audit row: what happened, and what kind of caller did it."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_lazy

from identity.console.tables import Cell, Text, state

# By tag; of what is only ever refused, what it was.
NAMES: dict[str, Text] = {
    "pool_created": gettext_lazy("pool created"),
    "pool_changed": gettext_lazy("pool changed"),
    "pool_deleted": gettext_lazy("pool deleted"),
    "certificate_made": gettext_lazy("certificate made"),
    "encryption_key_made": gettext_lazy("encryption key made"),
    "attributes_added": gettext_lazy("attributes added to the schema"),
    "mfa_set": gettext_lazy("mfa set"),
    "domain_changed": gettext_lazy("domain changed"),
    "domain_deleted": gettext_lazy("domain deleted"),
    "domain_set": gettext_lazy("domain set"),
    "resource_server_created": gettext_lazy("resource server created"),
    "resource_server_changed": gettext_lazy("resource server changed"),
    "resource_server_deleted": gettext_lazy("resource server deleted"),
    "provider_created": gettext_lazy("identity provider created"),
    "provider_certificate_ends": gettext_lazy("identity provider’s certificate ends soon"),
    "provider_changed": gettext_lazy("identity provider changed"),
    "provider_deleted": gettext_lazy("identity provider deleted"),
    "provider_tried": gettext_lazy("identity provider tried"),
    "provider_linked": gettext_lazy("identity provider linked"),
    "provider_login_refused": gettext_lazy("sign-in with an identity provider"),
    "provider_sign_out_refused": gettext_lazy("sign-out with an identity provider refused"),
    "provider_unlinked": gettext_lazy("identity provider unlinked"),
    "client_created": gettext_lazy("client created"),
    "client_changed": gettext_lazy("client changed"),
    "client_deleted": gettext_lazy("client deleted"),
    "client_refused": gettext_lazy("client"),
    "client_secret_added": gettext_lazy("client secret added"),
    "client_secret_deleted": gettext_lazy("client secret deleted"),
    "user_created": gettext_lazy("user created"),
    "user_invited": gettext_lazy("user invited"),
    "user_disabled": gettext_lazy("user disabled"),
    "user_enabled": gettext_lazy("user enabled"),
    "user_deleted": gettext_lazy("user deleted"),
    "signed_up": gettext_lazy("signed up"),
    "account_confirmed": gettext_lazy("account confirmed"),
    "attributes_changed": gettext_lazy("attributes changed"),
    "attribute_verified": gettext_lazy("attribute verified"),
    "alias_moved": gettext_lazy("alias moved"),
    "code_sent": gettext_lazy("code sent"),
    "message_refused": gettext_lazy("message could not be sent"),
    "code_refused": gettext_lazy("code"),
    "password_changed": gettext_lazy("password changed"),
    "password_reset": gettext_lazy("password reset"),
    "password_ended": gettext_lazy("password ended"),
    "password_refused": gettext_lazy("password"),
    "factor_offered": gettext_lazy("factor offered"),
    "factor_enrolled": gettext_lazy("factor enrolled"),
    "factor_removed": gettext_lazy("factor removed"),
    "factor_refused": gettext_lazy("factor"),
    "mfa_preference_set": gettext_lazy("mfa preference set"),
    "signed_out": gettext_lazy("signed out"),
    "signed_out_upstream": gettext_lazy("signed out by the identity provider"),
    "signed_out_everywhere": gettext_lazy("signed out everywhere"),
    "token_revoked": gettext_lazy("token revoked"),
    "token_reused": gettext_lazy("token reused"),
    "code_reused": gettext_lazy("code reused"),
    "group_created": gettext_lazy("group created"),
    "group_changed": gettext_lazy("group changed"),
    "group_deleted": gettext_lazy("group deleted"),
    "membership_added": gettext_lazy("membership added"),
    "membership_removed": gettext_lazy("membership removed"),
    "import_created": gettext_lazy("user import created"),
    "import_uploaded": gettext_lazy("user import uploaded"),
    "import_started": gettext_lazy("user import started"),
    "import_stopped": gettext_lazy("user import stopped"),
    "import_ended": gettext_lazy("user import ended"),
    "identity_pool_deleted": gettext_lazy("identity pool deleted"),
    "identity_deleted": gettext_lazy("identity deleted"),
    "identity_unlinked": gettext_lazy("identity unlinked"),
    "key_rotated": gettext_lazy("key rotated"),
    "identity_pool_created": gettext_lazy("identity pool created"),
    "identity_pool_changed": gettext_lazy("identity pool changed"),
    "identity_pool_roles_set": gettext_lazy("identity pool roles set"),
    "principal_tags_set": gettext_lazy("principal tags set"),
    "session_policies_set": gettext_lazy("session policies set"),
    "identity_created": gettext_lazy("identity created"),
    "identity_linked": gettext_lazy("identity linked"),
    "identity_merged": gettext_lazy("identity merged"),
    "credentials_issued": gettext_lazy("credentials issued"),
    "credentials_refused": gettext_lazy("credentials"),
    "identity_token_issued": gettext_lazy("identity token issued"),
    "identity_token_refused": gettext_lazy("identity token"),
    "operator_created": gettext_lazy("operator created"),
    "operator_signed_in": gettext_lazy("operator signed in"),
    "operator_changed": gettext_lazy("operator changed"),
    "operator_refused": gettext_lazy("operator"),
    "operator_signed_out": gettext_lazy("operator signed out"),
    "access_key_created": gettext_lazy("access key created"),
    "access_key_disabled": gettext_lazy("access key disabled"),
    "access_key_limited": gettext_lazy("access key limited"),
}
ACTORS: dict[str, Text] = {
    "operator": gettext_lazy("operator"),
    "user": gettext_lazy("user"),
    "client": gettext_lazy("app"),
    "import": gettext_lazy("import"),
    "visitor": gettext_lazy("visitor"),
    "system": gettext_lazy("system"),
}


def badge(tag: str, *, is_refused: bool) -> Cell:
    """Return what happened as a badge; a refusal is said, not only coloured."""
    name = NAMES.get(tag, tag)
    return state(gettext("Refused: %(what)s") % {"what": name}, "danger") if is_refused else state(name)


def actor(kind: str) -> Text:
    """Return what kind of caller it was."""
    return ACTORS.get(kind, kind)
