resource "aws_cognito_user_pool" "plain" {
  auto_verified_attributes = ["email"]
}

resource "aws_cognito_user_pool_client" "plain" {
  explicit_auth_flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
}

resource "aws_cognito_user_group" "plain" {
  description = "Everybody"
}

resource "aws_cognito_user" "plain" {
  attributes = { name = "Ada" }
}

resource "aws_cognito_user" "whole" {
  enabled    = false
  password   = "Battery-staple-8"
  attributes = { email = "grace@example.com", email_verified = "true", role = "admiral" }
}

resource "aws_cognito_resource_server" "plain" {
  scope {
    scope_name        = "read"
    scope_description = "See photos"
  }
}

resource "aws_cognito_user_pool_domain" "plain" {
  managed_login_version = 2
}

resource "aws_cognito_identity_pool" "plain" {
  allow_unauthenticated_identities = true
}

resource "aws_cognito_identity_pool_roles_attachment" "plain" {
  role_mapping {
    identity_provider         = "${aws_cognito_user_pool.plain.endpoint}:${aws_cognito_user_pool_client.plain.id}"
    ambiguous_role_resolution = "Deny"
    type                      = "Token"
  }
}

resource "aws_cognito_identity_pool_provider_principal_tag" "plain" {
  use_defaults   = false
  principal_tags = { mail = "email" }
}
