resource "aws_cognito_user_pool" "providers" {
  name = "providers"

  schema {
    attribute_data_type = "String"
    name                = "team"
    mutable             = true
    string_attribute_constraints {}
  }
}

# Endpoints are given here since nobody answers at the issuer; what is found by discovery is told, as at Amazon.
resource "aws_cognito_identity_provider" "corp" {
  user_pool_id      = aws_cognito_user_pool.providers.id
  provider_name     = "Corp"
  provider_type     = "OIDC"
  idp_identifiers   = ["corp.example", "corp"]
  attribute_mapping = { "custom:team" = "https://corp.example/team", email = "email", username = "sub" }

  provider_details = {
    attributes_request_method     = "GET"
    attributes_url                = "https://corp.example/me"
    attributes_url_add_attributes = "false"
    authorize_scopes              = "openid email"
    authorize_url                 = "https://corp.example/authorize"
    client_id                     = "cognate"
    client_secret                 = "secret"
    jwks_uri                      = "https://corp.example/keys"
    oidc_issuer                   = "https://corp.example"
    token_url                     = "https://corp.example/token"
  }
}

# What Amazon fills in is told back: written out, it plans nothing.
resource "aws_cognito_identity_provider" "google" {
  user_pool_id  = aws_cognito_user_pool.providers.id
  provider_name = "Google"
  provider_type = "Google"

  provider_details = {
    attributes_url                = "https://people.googleapis.com/v1/people/me?personFields="
    attributes_url_add_attributes = "true"
    authorize_scopes              = "email"
    authorize_url                 = "https://accounts.google.com/o/oauth2/v2/auth"
    client_id                     = "cognate.apps.googleusercontent.com"
    client_secret                 = "secret"
    oidc_issuer                   = "https://accounts.google.com"
    token_request_method          = "POST"
    token_url                     = "https://www.googleapis.com/oauth2/v4/token"
  }
}

resource "aws_cognito_identity_provider" "facebook" {
  user_pool_id      = aws_cognito_user_pool.providers.id
  provider_name     = "Facebook"
  provider_type     = "Facebook"
  attribute_mapping = { email = "email", username = "id" }

  provider_details = {
    api_version                   = "v17.0"
    attributes_url                = "https://graph.facebook.com/v17.0/me?fields="
    attributes_url_add_attributes = "true"
    authorize_scopes              = "public_profile,email"
    authorize_url                 = "https://www.facebook.com/v17.0/dialog/oauth"
    client_id                     = "1234567890"
    client_secret                 = "secret"
    token_request_method          = "GET"
    token_url                     = "https://graph.facebook.com/v17.0/oauth/access_token"
  }
}

resource "aws_cognito_identity_provider" "amazon" {
  user_pool_id      = aws_cognito_user_pool.providers.id
  provider_name     = "LoginWithAmazon"
  provider_type     = "LoginWithAmazon"
  attribute_mapping = { email = "email", username = "user_id" }

  provider_details = {
    attributes_url                = "https://api.amazon.com/user/profile"
    attributes_url_add_attributes = "false"
    authorize_scopes              = "profile postal_code"
    authorize_url                 = "https://www.amazon.com/ap/oa"
    client_id                     = "amzn1.application-oa2-client.1234567890"
    client_secret                 = "secret"
    token_request_method          = "POST"
    token_url                     = "https://api.amazon.com/auth/o2/token"
  }
}

# A private key is not told, and so would be planned again each time. One that is not sent again stays.
resource "aws_cognito_identity_provider" "apple" {
  user_pool_id      = aws_cognito_user_pool.providers.id
  provider_name     = "SignInWithApple"
  provider_type     = "SignInWithApple"
  attribute_mapping = { email = "email", username = "sub" }

  provider_details = {
    attributes_url_add_attributes = "false"
    authorize_scopes              = "email name"
    authorize_url                 = "https://appleid.apple.com/auth/authorize"
    client_id                     = "com.example.web"
    key_id                        = "KEY1234567"
    oidc_issuer                   = "https://appleid.apple.com"
    private_key                   = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXOl/Hw98vwPQSNOHco+lcSR3YA1HdIJBey4TDaFr2OehRANCAARx9XHafKFSaSWbUKUgm+AxnF6CrjkHkQJCdfWiZ29RX2MtJMTchh53qEXGSVW12gbBm/bBGnNgrJyb625C8m0P"
    team_id                       = "TEAM123456"
    token_request_method          = "POST"
    token_url                     = "https://appleid.apple.com/auth/token"
  }

  lifecycle {
    ignore_changes = [provider_details["private_key"]]
  }
}

resource "aws_cognito_identity_provider" "staff" {
  user_pool_id      = aws_cognito_user_pool.providers.id
  provider_name     = "Staff"
  provider_type     = "SAML"
  idp_identifiers   = ["staff.example"]
  attribute_mapping = { email = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress" }

  provider_details = {
    EncryptedResponses      = "true"
    IDPInit                 = "false"
    IDPSignout              = "true"
    MetadataFile            = file("${path.module}/staff.xml")
    RequestSigningAlgorithm = "rsa-sha256"
    SLORedirectBindingURI   = "https://idp.corp.example/slo"
    SSORedirectBindingURI   = "https://idp.corp.example/sso"
  }

  lifecycle {
    ignore_changes = [provider_details["ActiveEncryptionCertificate"]] # the pool’s own
  }
}

resource "aws_cognito_user_pool_client" "providers" {
  name         = "providers"
  user_pool_id = aws_cognito_user_pool.providers.id

  supported_identity_providers = [
    "COGNITO",
    aws_cognito_identity_provider.corp.provider_name,
    aws_cognito_identity_provider.google.provider_name,
  ]
}
