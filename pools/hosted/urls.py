"""Addresses of the hosted pages inside a pool, as Cognito has them where it has them."""

from __future__ import annotations

from django.urls import path

from pools.hosted import (
    account,
    account_factors,
    consent,
    error_page,
    factor_setup,
    own_password,
    providers,
    recovery,
    saml,
    saml_idp,
    second_factors,
    sign_in,
    sign_up,
    strength,
)
from pools.services.sign_in import factors

app_name = "hosted"
urlpatterns = [
    path("login", sign_in.sign_in, name="sign_in"),
    *(path(f"login/{factor.kind}", second_factors.second_factor, name=factor.kind) for factor in factors.FACTORS),
    path("login/choose", second_factors.factor_choice, name="factor_choice"),
    path("login/provider", providers.start, name="provider"),
    path("login/provider/form", providers.form, name="provider_form"),
    path("login/join", providers.join, name="join"),
    path("oauth2/idpresponse", providers.answer, name="provider_answer"),
    path("oauth2/idplogout", providers.left, name="provider_left"),
    path("saml2/idpresponse", saml.answer, name="saml_answer"),
    path("saml2/logout", saml.sign_out, name="saml_sign_out"),
    path("saml2/metadata", saml.metadata, name="saml_metadata"),
    path("saml2/idp/metadata", saml_idp.metadata, name="saml_idp_metadata"),
    path("saml2/idp/sso", saml_idp.sign_on, name="saml_sso"),
    path("saml2/idp/slo", saml_idp.sign_out, name="saml_slo"),
    path("saml2/idp/request", saml_idp.go_on, name="saml_request"),
    path("login/mfa", factor_setup.set_up, name="factor_setup"),
    path("login/new-password", sign_in.new_password, name="new_password"),
    path("consent", consent.ask, name="consent"),
    path("signup", sign_up.sign_up, name="sign_up"),
    path("confirm", sign_up.confirm, name="confirm"),
    path("confirmUser", sign_up.confirm_link, name="confirm_link"),
    path("confirmUser/only", sign_up.confirm_only, name="confirm_only"),
    path("resendcode", sign_up.resend, name="resend"),
    path("forgotPassword", recovery.forgot, name="forgot"),
    path("confirmForgotPassword", recovery.confirm_forgot, name="confirm_forgot"),
    path("passwordStrength", strength.strength, name="strength"),
    path("account", account.account, name="account"),
    path("account/mfa", account_factors.account_mfa, name="account_mfa"),
    path("account/password", own_password.account_password, name="account_password"),
    path(".well-known/change-password", own_password.change_password, name="change_password"),
    path("signout", account.sign_out, name="sign_out"),
    path("signedout", account.signed_out, name="signed_out"),
    path("error", error_page.error, name="error"),
]
