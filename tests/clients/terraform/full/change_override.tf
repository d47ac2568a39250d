resource "aws_cognito_user_pool" "full" {
  auto_verified_attributes   = ["email"]
  mfa_configuration          = "ON"
  user_pool_tier             = "ESSENTIALS"
  sms_authentication_message = "Come in with {####}."
  tags                       = { team = "movies" }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }
  admin_create_user_config {
    allow_admin_create_user_only = false
    invite_message_template {
      email_message = "Your name is {username}, your password is {####}."
      email_subject = "Come in"
      sms_message   = "Your name is {username}, your password is {####}."
    }
  }
  device_configuration {
    challenge_required_on_new_device      = false
    device_only_remembered_on_user_prompt = false
  }
  email_configuration {
    email_sending_account  = "COGNITO_DEFAULT"
    reply_to_email_address = "desk@example.com"
  }
  lambda_config {
    post_confirmation = "arn:aws:lambda:us-east-1:123456789012:function:confirmed"
  }
  password_policy {
    minimum_length                   = 8
    password_history_size            = 5
    require_lowercase                = false
    require_numbers                  = false
    require_symbols                  = true
    require_uppercase                = false
    temporary_password_validity_days = 1
  }
  schema {
    attribute_data_type = "String"
    name                = "email"
    required            = true
    mutable             = true
    string_attribute_constraints {
      min_length = "5"
      max_length = "200"
    }
  }
  schema {
    attribute_data_type      = "Number"
    developer_only_attribute = false
    mutable                  = true
    name                     = "rank"
    number_attribute_constraints {
      min_value = "1"
      max_value = "10"
    }
  }
  schema {
    attribute_data_type = "String"
    mutable             = false
    name                = "badge"
    string_attribute_constraints {}
  }
  schema {
    attribute_data_type      = "Boolean"
    developer_only_attribute = true
    mutable                  = true
    name                     = "flag"
  }
  schema {
    attribute_data_type = "DateTime"
    mutable             = true
    name                = "joined"
  }
  schema {
    attribute_data_type = "String"
    mutable             = true
    name                = "added"
    string_attribute_constraints {
      min_length = "0"
      max_length = "64"
    }
  }
  sign_in_policy {
    allowed_first_auth_factors = ["PASSWORD"]
  }
  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email"]
  }
  user_pool_add_ons {
    advanced_security_mode = "OFF"
  }
  verification_message_template {
    default_email_option  = "CONFIRM_WITH_CODE"
    email_message         = "Your number is {####}."
    email_message_by_link = "Press {##this##}."
    email_subject         = "Your number"
    email_subject_by_link = "Your way"
    sms_message           = "Your number is {####}."
  }
  web_authn_configuration {
    relying_party_id  = "photos.example.com"
    user_verification = "preferred"
  }
}

resource "aws_cognito_user_pool" "texting" {
  mfa_configuration          = "OPTIONAL"
  sms_authentication_message = "Come in with {####}."
  software_token_mfa_configuration {
    enabled = true
  }
  sms_configuration {
    external_id    = "movies"
    sns_caller_arn = "arn:aws:iam::123456789012:role/texts"
    sns_region     = "eu-west-1"
  }
}

resource "aws_cognito_user_pool_client" "full" {
  name                                          = "full-changed"
  access_token_validity                         = 2
  id_token_validity                             = 3
  refresh_token_validity                        = 600
  auth_session_validity                         = 3
  allowed_oauth_flows                           = []
  allowed_oauth_flows_user_pool_client          = false
  allowed_oauth_scopes                          = []
  callback_urls                                 = ["https://photos.example.com/back"]
  default_redirect_uri                          = "https://photos.example.com/back"
  logout_urls                                   = []
  enable_propagate_additional_user_context_data = false
  enable_token_revocation                       = false
  explicit_auth_flows                           = ["ALLOW_USER_SRP_AUTH"]
  prevent_user_existence_errors                 = "LEGACY"
  read_attributes                               = ["email"]
  write_attributes                              = ["email"]

  analytics_configuration {
    application_id   = "0123456789abcdef0123456789abcdef"
    external_id      = "photos"
    role_arn         = "arn:aws:iam::123456789012:role/analytics"
    user_data_shared = false
  }
  refresh_token_rotation {
    feature                    = "ENABLED"
    retry_grace_period_seconds = 0
  }
  token_validity_units {
    access_token  = "hours"
    id_token      = "hours"
    refresh_token = "minutes"
  }
}

resource "aws_cognito_managed_user_pool_client" "full" {
  access_token_validity = 90
  write_attributes      = ["email", "name"]

  token_validity_units {
    access_token = "minutes"
  }
}

resource "aws_cognito_user_group" "full" {
  description = "Who may do less"
  precedence  = 7
  role_arn    = "arn:aws:iam::123456789012:role/less"
}

resource "aws_cognito_resource_server" "full" {
  scope {
    scope_name        = "read"
    scope_description = "Look at photos"
  }
  scope {
    scope_name        = "share"
    scope_description = "Show photos to others"
  }
}

resource "aws_cognito_user_pool_domain" "full" {
  certificate_arn       = "arn:aws:acm:us-east-1:123456789012:certificate/87654321-4321-4321-4321-210987654321"
  managed_login_version = 2
}

resource "aws_cognito_identity_pool" "full" {
  allow_classic_flow               = false
  allow_unauthenticated_identities = false
  tags                             = { team = "movies", stage = "done" }

  cognito_identity_providers {
    client_id               = aws_cognito_user_pool_client.full.id
    provider_name           = aws_cognito_user_pool.full.endpoint
    server_side_token_check = false
  }
}

resource "aws_cognito_identity_pool_roles_attachment" "full" {
  role_mapping {
    identity_provider         = "${aws_cognito_user_pool.full.endpoint}:${aws_cognito_user_pool_client.full.id}"
    ambiguous_role_resolution = "Deny"
    type                      = "Token"
  }
}

resource "aws_cognito_identity_pool_provider_principal_tag" "full" {
  principal_tags = { team = "custom:added" }
}
