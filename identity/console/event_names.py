"""What operators read of an audit row: what happened, and what kind of caller did it."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_lazy

from identity.console.tables import Cell, Text, state
from pools.services.audit import Tag

# Of what is only ever refused, what it was.
NAMES: dict[str, Text] = {
    Tag.POOL_CREATED: gettext_lazy("pool created"),
    Tag.POOL_CHANGED: gettext_lazy("pool changed"),
    Tag.POOL_DELETED: gettext_lazy("pool deleted"),
    Tag.MFA_SET: gettext_lazy("mfa set"),
    Tag.DOMAIN_SET: gettext_lazy("domain set"),
    Tag.RESOURCE_SERVER_CREATED: gettext_lazy("resource server created"),
    Tag.CLIENT_CREATED: gettext_lazy("client created"),
    Tag.CLIENT_CHANGED: gettext_lazy("client changed"),
    Tag.CLIENT_DELETED: gettext_lazy("client deleted"),
    Tag.CLIENT_REFUSED: gettext_lazy("client"),
    Tag.USER_CREATED: gettext_lazy("user created"),
    Tag.USER_INVITED: gettext_lazy("user invited"),
    Tag.USER_DISABLED: gettext_lazy("user disabled"),
    Tag.USER_ENABLED: gettext_lazy("user enabled"),
    Tag.USER_DELETED: gettext_lazy("user deleted"),
    Tag.SIGNED_UP: gettext_lazy("signed up"),
    Tag.ACCOUNT_CONFIRMED: gettext_lazy("account confirmed"),
    Tag.ATTRIBUTES_CHANGED: gettext_lazy("attributes changed"),
    Tag.ATTRIBUTE_VERIFIED: gettext_lazy("attribute verified"),
    Tag.ALIAS_MOVED: gettext_lazy("alias moved"),
    Tag.CODE_SENT: gettext_lazy("code sent"),
    Tag.CODE_REFUSED: gettext_lazy("code"),
    Tag.PASSWORD_CHANGED: gettext_lazy("password changed"),
    Tag.PASSWORD_RESET: gettext_lazy("password reset"),
    Tag.PASSWORD_REFUSED: gettext_lazy("password"),
    Tag.FACTOR_OFFERED: gettext_lazy("factor offered"),
    Tag.FACTOR_ENROLLED: gettext_lazy("factor enrolled"),
    Tag.FACTOR_REMOVED: gettext_lazy("factor removed"),
    Tag.FACTOR_REFUSED: gettext_lazy("factor"),
    Tag.MFA_PREFERENCE_SET: gettext_lazy("mfa preference set"),
    Tag.SIGNED_OUT: gettext_lazy("signed out"),
    Tag.SIGNED_OUT_EVERYWHERE: gettext_lazy("signed out everywhere"),
    Tag.TOKEN_REVOKED: gettext_lazy("token revoked"),
    Tag.TOKEN_REUSED: gettext_lazy("token reused"),
    Tag.CODE_REUSED: gettext_lazy("code reused"),
    Tag.GROUP_CREATED: gettext_lazy("group created"),
    Tag.MEMBERSHIP_ADDED: gettext_lazy("membership added"),
    Tag.MEMBERSHIP_REMOVED: gettext_lazy("membership removed"),
    Tag.KEY_ROTATED: gettext_lazy("key rotated"),
    Tag.IDENTITY_POOL_CREATED: gettext_lazy("identity pool created"),
    Tag.IDENTITY_POOL_CHANGED: gettext_lazy("identity pool changed"),
    Tag.IDENTITY_POOL_ROLES_SET: gettext_lazy("identity pool roles set"),
    Tag.PRINCIPAL_TAGS_SET: gettext_lazy("principal tags set"),
    Tag.SESSION_POLICIES_SET: gettext_lazy("session policies set"),
    Tag.IDENTITY_CREATED: gettext_lazy("identity created"),
    Tag.IDENTITY_LINKED: gettext_lazy("identity linked"),
    Tag.IDENTITY_MERGED: gettext_lazy("identity merged"),
    Tag.CREDENTIALS_ISSUED: gettext_lazy("credentials issued"),
    Tag.CREDENTIALS_REFUSED: gettext_lazy("credentials"),
    Tag.IDENTITY_TOKEN_ISSUED: gettext_lazy("identity token issued"),
    Tag.IDENTITY_TOKEN_REFUSED: gettext_lazy("identity token"),
    Tag.OPERATOR_CREATED: gettext_lazy("operator created"),
    Tag.OPERATOR_SIGNED_IN: gettext_lazy("operator signed in"),
    Tag.OPERATOR_CHANGED: gettext_lazy("operator changed"),
    Tag.OPERATOR_REFUSED: gettext_lazy("operator"),
    Tag.OPERATOR_SIGNED_OUT: gettext_lazy("operator signed out"),
    Tag.ACCESS_KEY_CREATED: gettext_lazy("access key created"),
    Tag.ACCESS_KEY_DISABLED: gettext_lazy("access key disabled"),
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
