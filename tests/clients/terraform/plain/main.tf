resource "aws_cognito_user_pool" "plain" {
  name = "plain"
}

resource "aws_cognito_user_pool_client" "plain" {
  name         = "plain"
  user_pool_id = aws_cognito_user_pool.plain.id
}

resource "aws_cognito_user_group" "plain" {
  name         = "plain"
  user_pool_id = aws_cognito_user_pool.plain.id
}

resource "aws_cognito_resource_server" "plain" {
  identifier   = "https://photos.example.com"
  name         = "plain"
  user_pool_id = aws_cognito_user_pool.plain.id
}

resource "aws_cognito_user_pool_domain" "plain" {
  domain       = "plain-terraform"
  user_pool_id = aws_cognito_user_pool.plain.id
}

resource "aws_cognito_managed_user_pool_client" "plain" {
  name_prefix  = aws_cognito_user_pool_client.plain.name
  user_pool_id = aws_cognito_user_pool.plain.id
}

resource "aws_cognito_identity_pool" "plain" {
  identity_pool_name = "plain"

  cognito_identity_providers {
    client_id     = aws_cognito_user_pool_client.plain.id
    provider_name = aws_cognito_user_pool.plain.endpoint
  }
}

resource "aws_cognito_identity_pool_roles_attachment" "plain" {
  identity_pool_id = aws_cognito_identity_pool.plain.id
  roles            = { authenticated = "arn:aws:iam::123456789012:role/plain" }
}

resource "aws_cognito_identity_pool_provider_principal_tag" "plain" {
  identity_pool_id       = aws_cognito_identity_pool.plain.id
  identity_provider_name = aws_cognito_user_pool.plain.endpoint

  # What use_defaults means is told back.
  principal_tags = { client = "aud", username = "sub" }
}
