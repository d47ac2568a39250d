resource "aws_cognito_user_pool" "photos" {
  name                     = "photos"
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  deletion_protection      = "INACTIVE"
  mfa_configuration        = "OPTIONAL"

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }
  password_policy {
    minimum_length                   = 12
    temporary_password_validity_days = 7
  }
  schema {
    name                = "team"
    attribute_data_type = "String"
    mutable             = true

    string_attribute_constraints {
      max_length = "64"
    }
  }
  software_token_mfa_configuration {
    enabled = true
  }
}

resource "aws_cognito_user_pool_domain" "photos" {
  domain       = "photos"
  user_pool_id = aws_cognito_user_pool.photos.id
}

resource "aws_cognito_resource_server" "photos" {
  identifier   = "https://photos.example.com"
  name         = "photos"
  user_pool_id = aws_cognito_user_pool.photos.id

  scope {
    scope_name        = "read"
    scope_description = "See photos"
  }
}

resource "aws_cognito_user_pool_client" "web" {
  name                                 = "web"
  user_pool_id                         = aws_cognito_user_pool.photos.id
  explicit_auth_flows                  = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors        = "ENABLED"
  supported_identity_providers         = ["COGNITO"]
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = concat(["openid", "email"], aws_cognito_resource_server.photos.scope_identifiers)
  callback_urls                        = ["https://photos.example.com/callback"]
  logout_urls                          = ["https://photos.example.com/"]
}

resource "aws_cognito_user_group" "editors" {
  name         = "editors"
  description  = "Who may change photos"
  precedence   = 1
  role_arn     = "arn:aws:iam::123456789012:role/editors"
  user_pool_id = aws_cognito_user_pool.photos.id
}

resource "aws_cognito_identity_pool" "photos" {
  identity_pool_name = "photos"

  cognito_identity_providers {
    client_id               = aws_cognito_user_pool_client.web.id
    provider_name           = aws_cognito_user_pool.photos.endpoint
    server_side_token_check = true
  }
}

resource "aws_cognito_identity_pool_roles_attachment" "photos" {
  identity_pool_id = aws_cognito_identity_pool.photos.id
  roles            = { authenticated = "arn:aws:iam::123456789012:role/viewers" }

  role_mapping {
    identity_provider         = "${aws_cognito_user_pool.photos.endpoint}:${aws_cognito_user_pool_client.web.id}"
    ambiguous_role_resolution = "AuthenticatedRole"
    type                      = "Token"
  }
}

output "client_id" {
  value = aws_cognito_user_pool_client.web.id
}
