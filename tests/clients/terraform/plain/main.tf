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

resource "aws_cognito_user" "plain" {
  user_pool_id   = aws_cognito_user_pool.plain.id
  username       = "ada"
  message_action = "SUPPRESS"
}

resource "aws_cognito_user_in_group" "plain" {
  user_pool_id = aws_cognito_user_pool.plain.id
  username     = aws_cognito_user.plain.username
  group_name   = aws_cognito_user_group.plain.name
}

# As an administrator makes somebody whole: a permanent password, proven addresses, an attribute of the pool's own.
resource "aws_cognito_user_pool" "people" {
  name                     = "people"
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]

  schema {
    attribute_data_type = "String"
    name                = "role"
    mutable             = true
    string_attribute_constraints {}
  }
}

resource "aws_cognito_user" "whole" {
  user_pool_id             = aws_cognito_user_pool.people.id
  username                 = "grace@example.com"
  password                 = "Correct-horse-7"
  message_action           = "SUPPRESS"
  desired_delivery_mediums = ["EMAIL"]
  attributes               = { email = "grace@example.com", email_verified = "true", name = "Grace", role = "captain" }
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
