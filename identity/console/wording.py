"""What operators read of a service's refusal, by its code and parameters: in console, management API and commands.

Labels and explanations stand where they are shown; what people of a pool read is ``pools.hosted.wording``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from identity.foundation import errors

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

A_MINUTE = 60
UNAVAILABLE = gettext_lazy("The database does not answer. Try again in a few seconds.")
"""Where that is no request's fault."""
# By code: of a broken rule, else of a class of errors. A class without words of its own has those of its base.
WORDS: dict[str, _StrPromise] = {
    # Lists
    "page_token": gettext_lazy("That page of the list is gone. Begin at the first."),
    "filter": gettext_lazy('That filter cannot be read. Write it like email ^= "jo".'),
    "filter_attribute": gettext_lazy("Users cannot be found by “%(name)s”."),
    # Pools and apps
    "pool_name": gettext_lazy("A pool’s name has 1 to 128 letters A to Z, digits, spaces or any of + = , . @ - _"),
    "client_name": gettext_lazy("An app’s name has 1 to 128 letters A to Z, digits, spaces or any of + = , . @ - _"),
    "no_sms": gettext_lazy("This installation sends no SMS."),
    "mfa_kind": gettext_lazy("Choose which codes are asked for: an authenticator app’s, or those by text message."),
    "mfa_off": gettext_lazy("Codes are on, and asked of nobody: choose Optional or Required, or switch them off."),
    "lifetime": gettext_lazy("This lives from %(least)d to %(most)d seconds."),
    "refresh_lifetime": gettext_lazy("Refresh tokens live at least as long as access and ID tokens."),
    "callback_url": gettext_lazy("Enter at least one URL, so that people can come back."),
    "default_redirect": gettext_lazy("The default redirect URI has to stay among the callback URLs."),
    "too_many_urls": gettext_lazy("An app has at most 100 URLs of a kind."),
    "url_length": gettext_lazy("%(url)s: addresses hold 1 to 1024 characters without spaces."),
    "url_fragment": gettext_lazy("%(url)s: addresses have no fragment."),
    "url_form": gettext_lazy("%(url)s: not an address."),
    "url_scheme": gettext_lazy("%(url)s: not an address that browsers may be sent to."),
    "url_host": gettext_lazy("%(url)s: the host is missing or ambiguous."),
    "url_plain": gettext_lazy("%(url)s: only https, but for this machine’s own addresses."),
    "oauth_flow": gettext_lazy("There is no such OAuth flow."),
    "implicit": gettext_lazy("The implicit flow is not available: use code, with PKCE."),
    "oauth_scope": gettext_lazy("OAuth needs a flow and at least one scope."),
    "machine_and_people": gettext_lazy(
        "An app is a machine’s or people’s: client_credentials goes with no other flow."
    ),
    "machine_secret": gettext_lazy("A machine needs a secret."),
    "machine_scopes": gettext_lazy("A machine has scopes of resource servers alone."),
    "too_many_scopes": gettext_lazy("An app has at most 50 scopes."),
    "no_such_scope": gettext_lazy("The pool has no scope “%(scope)s”."),
    "register_scope": gettext_lazy("An app that registered itself cannot let others register."),
    "openid": gettext_lazy("The scope %(scope)s needs openid beside it."),
    "import_in_progress": gettext_lazy("Users are being imported into this pool. Wait until that is done."),
    "precondition_not_met": gettext_lazy("Something has to be done or to end before."),
    "too_many_clients": gettext_lazy("The pool has as many apps as it can have."),
    "fixed": gettext_lazy("This cannot be changed any more."),
    "pool_not_found": gettext_lazy("There is no pool “%(id)s”."),
    "client_not_found": gettext_lazy("There is no app “%(id)s”."),
    "user_not_found": gettext_lazy("This user does not exist."),
    # Identity providers
    "provider_name": gettext_lazy("A provider’s name has 3 to 32 characters without spaces, and _ only second."),
    "provider_name_of_kind": gettext_lazy("A provider of this kind cannot be called “%(name)s”."),
    "provider_kind": gettext_lazy("This release has no provider of that kind."),
    "provider_not_supported": gettext_lazy("This release has no provider of that kind."),
    "provider_not_found": gettext_lazy("There is no such identity provider."),
    "no_such_provider": gettext_lazy("The pool has no identity provider “%(name)s”."),
    "provider_exists": gettext_lazy("The pool has an identity provider of that name."),
    "provider_changed": gettext_lazy("Somebody else changed this provider meanwhile. Load the page again."),
    "too_many_providers": gettext_lazy("The pool has as many identity providers as it can have."),
    "too_many_identifiers": gettext_lazy("A provider has at most 50 identifiers, each once."),
    "identifier": gettext_lazy("An identifier has 1 to 40 letters, digits, spaces or any of + = . @ - _"),
    "identifier_taken": gettext_lazy("Another provider of the pool has the identifier “%(name)s”."),
    "attribute_mapping": gettext_lazy("These attributes cannot be mapped so: %(names)s."),
    "levels_of_oidc": gettext_lazy("Only providers of OpenID Connect have levels of assurance."),
    "levels": gettext_lazy("Each of Level1 to Level4 has one word of the provider’s, without spaces."),
    "unknown_detail": gettext_lazy("A provider of this kind has no %(key)s."),
    "missing_detail": gettext_lazy("The provider cannot be asked without this."),
    "visible_characters": gettext_lazy("This has 1 to %(most)d visible characters."),
    "scopes": gettext_lazy("Write scopes with one space between each two."),
    "not_https": gettext_lazy("Providers are only asked over https."),
    "url": gettext_lazy("This is not an address that can be asked."),
    "not_among": gettext_lazy("This is one of: %(words)s."),
    "form": gettext_lazy("This is not written as the provider has it."),
    "private_key": gettext_lazy("This is not the private key of a .p8 file for Sign in with Apple."),
    "no_discovery": gettext_lazy(
        "Nothing can be read at this issuer’s /.well-known/openid-configuration. Check the address, or give the "
        "endpoints."
    ),
    "not_discovered": gettext_lazy("The issuer does not tell this address: give it here."),
    # What an identity provider's metadata say
    "metadata_url": gettext_lazy("Metadata are read at an address that starts with https://"),
    "metadata_away": gettext_lazy("Nothing can be read at this address."),
    "metadata_twice": gettext_lazy("Give the address of the metadata or their text, not both."),
    "metadata_too_large": gettext_lazy("These metadata are larger than %(most)d bytes."),
    "unreadable_metadata": gettext_lazy("These are no metadata: %(reason)s."),
    "no_identity_provider": gettext_lazy("The metadata describe no identity provider of SAML 2.0, or several."),
    "several_providers": gettext_lazy("The metadata describe several providers. Give the entity ID of the one meant."),
    "provider_not_in_metadata": gettext_lazy("The metadata do not describe the provider."),
    "expired_metadata": gettext_lazy("The metadata were good until a moment that is past."),
    "not_a_moment": gettext_lazy("The metadata’s validUntil is no moment in UTC."),
    "no_entity_id": gettext_lazy("The metadata have no usable entity ID."),
    "no_sso_url": gettext_lazy("The metadata name no address for signing in by redirect or form."),
    "not_https_in_metadata": gettext_lazy("An address in the metadata (%(name)s) does not start with https://"),
    "no_url_in_metadata": gettext_lazy("An address in the metadata (%(name)s) cannot be asked."),
    "no_certificate": gettext_lazy("The metadata have no certificate to verify signatures with."),
    "too_many_certificates": gettext_lazy("The metadata have more than %(most)d certificates."),
    "key_without_certificate": gettext_lazy("A key in the metadata has no certificate."),
    "unreadable_certificate": gettext_lazy("A certificate in the metadata cannot be read."),
    "weak_key": gettext_lazy("A key in the metadata is too weak, or of a kind that is not taken."),
    "not_read_yet": gettext_lazy("The metadata were not read yet."),
    # SAML applications
    "entity_id": gettext_lazy("An entity ID has 1 to %(most)d visible characters."),
    "entity_id_taken": gettext_lazy("Another application of the pool has this entity ID."),
    "client_has_application": gettext_lazy("This app has a SAML application already."),
    "application_exists": gettext_lazy("This application is registered already."),
    "application_not_found": gettext_lazy("There is no such SAML application."),
    "too_many_applications": gettext_lazy("The pool has as many SAML applications as it can have."),
    "app_without_pages": gettext_lazy("Nobody signs in on pages of this app: give it the OAuth code grant first."),
    "acs_urls": gettext_lazy("There are 1 to %(most)d addresses for answers, each once."),
    "acs_indexes": gettext_lazy("Each address for answers has a number of its own."),
    "application_address": gettext_lazy("People are only sent to addresses that start with https://"),
    "no_encryption_certificate": gettext_lazy("Give the certificate that assertions are encrypted for."),
    "not_rsa": gettext_lazy("Assertions are encrypted for RSA keys alone."),
    "nothing_signed": gettext_lazy("Either the assertion or the response is signed."),
    "name_id_format": gettext_lazy("This is one of: %(words)s."),
    "unknown_source": gettext_lazy("Nothing called “%(name)s” is known of the people of this pool."),
    "too_many_attributes": gettext_lazy("At most %(most)d attributes are told."),
    "attribute_name": gettext_lazy("An attribute’s name has 1 to %(most)d visible characters."),
    "relay_state": gettext_lazy("This has at most %(most)d visible characters, and no lines."),
    "metadata_address": gettext_lazy("Metadata are read at an address that starts with https://"),
    "no_application": gettext_lazy("The metadata describe no application of SAML 2.0, or several."),
    "several_applications": gettext_lazy("The metadata describe several applications."),
    "no_acs_url": gettext_lazy("The metadata name no address for answers by POST."),
    "acs_index": gettext_lazy("Two addresses for answers in the metadata have one number, or one has none."),
    # What an identity provider answers
    "answered_status": gettext_lazy("It answers with status %(status)d."),
    "answered_no_json": gettext_lazy("What it answers is no JSON object."),
    "answer_too_large": gettext_lazy("What it answers is larger than anyone needs."),
    "another_issuer": gettext_lazy("The document is about another issuer than this one."),
    "unusable_endpoint": gettext_lazy("The document’s %(name)s is no address that can be asked."),
    "no_keys": gettext_lazy("The document has no keys."),
    "login_denied": gettext_lazy("Nobody was signed in there."),
    "provider_refused": gettext_lazy("The provider refuses what it was asked with. Check the client’s secret first."),
    "login_refused": gettext_lazy("What came back could not be verified, or was not meant for this pool."),
    "interaction_expired": gettext_lazy("That is over. Begin again."),
    "subject": gettext_lazy("Who it is there makes no username here: it is empty, too long or has other characters."),
    "username_taken": gettext_lazy("The username of the account is somebody else’s."),
    "trigger_unavailable": gettext_lazy("A trigger of the pool (%(trigger)s) may refuse it, and cannot be called."),
    # Values of attributes
    "required": gettext_lazy("The pool wants this of everybody."),
    "email": gettext_lazy("This is no email address."),
    "phone_number": gettext_lazy("This is no phone number, written like +12065550100."),
    "too_long": gettext_lazy("This is too long."),
    # Operators
    "operator_name": ngettext_lazy(
        "A name has 1 to %(most)d letter, digit or any of @ . + - _",
        "A name has 1 to %(most)d letters, digits or any of @ . + - _",
        "most",
    ),
    "operator_exists": gettext_lazy("There is an operator of that name already."),
    "operator_not_found": gettext_lazy("There is no operator of that name."),
    "key_not_found": gettext_lazy("This access key does not exist, or is disabled already."),
    "no_action": gettext_lazy("%(action)s is no action of Cognito's, written as IAM does."),
    "no_pool": gettext_lazy("There is no pool %(pool)s."),
    "too_many_limits": gettext_lazy("A key names at most %(most)d actions and pools."),
    "has_authenticator": gettext_lazy("This operator has an authenticator already."),
    "password_too_short": ngettext_lazy(
        "That password is too short: use %(least)d character or more.",
        "That password is too short: use %(least)d characters or more.",
        "least",
    ),
    "password_too_common": gettext_lazy("That password is among the first that anybody tries. Choose another one."),
    "password_rejected": gettext_lazy("Choose another password."),
    "password_incorrect": gettext_lazy("That sign-in didn’t work. Check the details and try again."),
    "link_refused": gettext_lazy("This link has been used or has expired. Ask for a new one."),
    "totp_mismatch": gettext_lazy("That code is not right. Wait for the next one, and check your device’s clock."),
    "totp_used": gettext_lazy("That code was used already. Wait for the next one."),
    "totp_not_found": gettext_lazy("This operator has no authenticator yet."),
    # Anything
    "domain_error": gettext_lazy("That could not be done."),
    "invalid": gettext_lazy("That value cannot be used here."),
    "not_available": gettext_lazy("This release does not have that."),
    "not_found": gettext_lazy("There is no such thing."),
    "already_exists": gettext_lazy("There is one of that name already."),
    "not_authorized": gettext_lazy("You may not do that."),
    "limit_exceeded": gettext_lazy("There are as many as there can be."),
    "too_many_attempts": gettext_lazy("Too many tries. Wait a while, then try again."),
    "overloaded": gettext_lazy("Too many people are signing in at this moment. Try again in a few seconds."),
    "outside_unavailable": gettext_lazy("Another service does not answer. Try again in a few seconds."),
}


def of(problem: errors.DomainError) -> str:
    """Return what an operator reads of a refusal."""
    if isinstance(problem, errors.LockedOut):
        return wait(problem.retry_after)
    codes = (problem.code, *(kind.class_code for kind in type(problem).__mro__ if issubclass(kind, errors.DomainError)))
    return next(WORDS[code] for code in codes if code in WORDS) % problem.parameters


def of_code(code: str, parameters: errors.Parameters) -> str:
    """Return what an operator reads of a refusal of the outside that was kept by its code."""
    return str(WORDS.get(code, WORDS["outside_unavailable"]) % parameters)


def wait(seconds: int) -> str:
    """Return for how long nobody may try again."""
    minutes = max(1, -(-seconds // A_MINUTE))
    return ngettext(
        "Too many tries. Try again in %(minutes)d minute.", "Too many tries. Try again in %(minutes)d minutes.", minutes
    ) % {"minutes": minutes}
