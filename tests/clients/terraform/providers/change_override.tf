resource "aws_cognito_identity_provider" "corp" {
  idp_identifiers   = ["corp"]
  attribute_mapping = { email = "mail", username = "sub" }

  provider_details = {
    attributes_request_method     = "GET"
    attributes_url                = "https://corp.example/me"
    attributes_url_add_attributes = "false"
    authorize_scopes              = "openid"
    authorize_url                 = "https://corp.example/authorize"
    client_id                     = "cognate"
    client_secret                 = "another"
    jwks_uri                      = "https://corp.example/keys"
    oidc_issuer                   = "https://corp.example"
    token_url                     = "https://corp.example/oauth/token"
  }
}

resource "aws_cognito_identity_provider" "google" {
  attribute_mapping = { email = "email", username = "sub" }

  provider_details = {
    attributes_url                = "https://people.googleapis.com/v1/people/me?personFields="
    attributes_url_add_attributes = "true"
    authorize_scopes              = "email profile openid"
    authorize_url                 = "https://accounts.google.com/o/oauth2/v2/auth"
    client_id                     = "cognate.apps.googleusercontent.com"
    client_secret                 = "another"
    oidc_issuer                   = "https://accounts.google.com"
    token_request_method          = "POST"
    token_url                     = "https://www.googleapis.com/oauth2/v4/token"
  }
}

resource "aws_cognito_identity_provider" "facebook" {
  attribute_mapping = { email = "email", name = "name", username = "id" }

  provider_details = {
    api_version                   = "v21.0"
    attributes_url                = "https://graph.facebook.com/v21.0/me?fields="
    attributes_url_add_attributes = "true"
    authorize_scopes              = "public_profile,email"
    authorize_url                 = "https://www.facebook.com/v21.0/dialog/oauth"
    client_id                     = "1234567890"
    client_secret                 = "secret"
    token_request_method          = "GET"
    token_url                     = "https://graph.facebook.com/v21.0/oauth/access_token"
  }
}

resource "aws_cognito_identity_provider" "amazon" {
  provider_details = {
    attributes_url                = "https://api.amazon.com/user/profile"
    attributes_url_add_attributes = "false"
    authorize_scopes              = "profile"
    authorize_url                 = "https://www.amazon.com/ap/oa"
    client_id                     = "amzn1.application-oa2-client.1234567890"
    client_secret                 = "secret"
    token_request_method          = "POST"
    token_url                     = "https://api.amazon.com/auth/o2/token"
  }
}

resource "aws_cognito_identity_provider" "apple" {
  provider_details = {
    attributes_url_add_attributes = "false"
    authorize_scopes              = "email"
    authorize_url                 = "https://appleid.apple.com/auth/authorize"
    client_id                     = "com.example.web"
    key_id                        = "KEY1234567"
    oidc_issuer                   = "https://appleid.apple.com"
    private_key                   = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXOl/Hw98vwPQSNOHco+lcSR3YA1HdIJBey4TDaFr2OehRANCAARx9XHafKFSaSWbUKUgm+AxnF6CrjkHkQJCdfWiZ29RX2MtJMTchh53qEXGSVW12gbBm/bBGnNgrJyb625C8m0P"
    team_id                       = "TEAM654321"
    token_request_method          = "POST"
    token_url                     = "https://appleid.apple.com/auth/token"
  }
}

resource "aws_cognito_identity_provider" "staff" {
  idp_identifiers   = []
  attribute_mapping = { email = "email" }

  provider_details = {
    EncryptedResponses    = "false"
    IDPInit               = "false"
    IDPSignout            = "false"
    MetadataFile          = replace(file("${path.module}/staff.xml"), "https://idp.corp.example/sso", "https://idp.corp.example/saml/sso")
    SLORedirectBindingURI = "https://idp.corp.example/slo"
    SSORedirectBindingURI = "https://idp.corp.example/saml/sso"
  }
}

resource "aws_cognito_user_pool_client" "providers" {
  supported_identity_providers = [
    aws_cognito_identity_provider.corp.provider_name,
    aws_cognito_identity_provider.apple.provider_name,
  ]
}
