resource "aws_cognito_user_pool" "full" {
  name                       = "full"
  alias_attributes           = ["email", "phone_number", "preferred_username"]
  auto_verified_attributes   = ["email", "phone_number"]
  deletion_protection        = "INACTIVE"
  mfa_configuration          = "OPTIONAL"
  user_pool_tier             = "PLUS"
  sms_authentication_message = "Sign in with {####}."
  tags                       = { team = "photos", stage = "try" }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_phone_number"
      priority = 1
    }
    recovery_mechanism {
      name     = "verified_email"
      priority = 2
    }
  }
  admin_create_user_config {
    allow_admin_create_user_only = true
    invite_message_template {
      email_message = "You are {username}, your password is {####}."
      email_subject = "Welcome"
      sms_message   = "You are {username}, your password is {####}."
    }
  }
  device_configuration {
    challenge_required_on_new_device      = true
    device_only_remembered_on_user_prompt = true
  }
  email_configuration {
    configuration_set      = "photos"
    email_sending_account  = "DEVELOPER"
    from_email_address     = "Photos <photos@example.com>"
    reply_to_email_address = "help@example.com"
    source_arn             = "arn:aws:ses:us-east-1:123456789012:identity/photos@example.com"
  }
  email_mfa_configuration {
    message = "Sign in with {####}."
    subject = "Your code"
  }
  lambda_config {
    create_auth_challenge          = "arn:aws:lambda:us-east-1:123456789012:function:create"
    custom_message                 = "arn:aws:lambda:us-east-1:123456789012:function:message"
    define_auth_challenge          = "arn:aws:lambda:us-east-1:123456789012:function:define"
    kms_key_id                     = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    post_authentication            = "arn:aws:lambda:us-east-1:123456789012:function:after"
    post_confirmation              = "arn:aws:lambda:us-east-1:123456789012:function:confirmed"
    pre_authentication             = "arn:aws:lambda:us-east-1:123456789012:function:before"
    pre_sign_up                    = "arn:aws:lambda:us-east-1:123456789012:function:sign-up"
    user_migration                 = "arn:aws:lambda:us-east-1:123456789012:function:migrate"
    verify_auth_challenge_response = "arn:aws:lambda:us-east-1:123456789012:function:verify"
    custom_email_sender {
      lambda_arn     = "arn:aws:lambda:us-east-1:123456789012:function:mail"
      lambda_version = "V1_0"
    }
    custom_sms_sender {
      lambda_arn     = "arn:aws:lambda:us-east-1:123456789012:function:sms"
      lambda_version = "V1_0"
    }
    pre_token_generation_config {
      lambda_arn     = "arn:aws:lambda:us-east-1:123456789012:function:token"
      lambda_version = "V2_0"
    }
  }
  password_policy {
    minimum_length                   = 12
    password_history_size            = 3
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = false
    require_uppercase                = true
    temporary_password_validity_days = 3
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
  sign_in_policy {
    allowed_first_auth_factors = ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]
  }
  software_token_mfa_configuration {
    enabled = true
  }
  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email", "phone_number"]
  }
  user_pool_add_ons {
    advanced_security_mode = "AUDIT"
    advanced_security_additional_flows {
      custom_auth_mode = "AUDIT"
    }
  }
  username_configuration {
    case_sensitive = true
  }
  verification_message_template {
    default_email_option  = "CONFIRM_WITH_LINK"
    email_message         = "Your code is {####}."
    email_message_by_link = "Press {##here##}."
    email_subject         = "Your code"
    email_subject_by_link = "Your link"
    sms_message           = "Your code is {####}."
  }
  web_authn_configuration {
    relying_party_id  = "example.com"
    user_verification = "required"
  }
}

resource "aws_cognito_user_pool_client" "full" {
  name                                          = "full"
  user_pool_id                                  = aws_cognito_user_pool.full.id
  access_token_validity                         = 30
  id_token_validity                             = 20
  refresh_token_validity                        = 10
  auth_session_validity                         = 5
  allowed_oauth_flows                           = ["code"]
  allowed_oauth_flows_user_pool_client          = true
  allowed_oauth_scopes                          = concat(["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"], aws_cognito_resource_server.full.scope_identifiers)
  callback_urls                                 = ["https://photos.example.com/callback", "http://localhost:3000/callback"]
  default_redirect_uri                          = "https://photos.example.com/callback"
  logout_urls                                   = ["https://photos.example.com/", "http://localhost:3000/"]
  enable_propagate_additional_user_context_data = true
  enable_token_revocation                       = true
  explicit_auth_flows                           = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_USER_AUTH"]
  generate_secret                               = true
  prevent_user_existence_errors                 = "ENABLED"
  read_attributes                               = ["email", "name", "custom:rank"]
  write_attributes                              = ["email", "name", "custom:rank"]
  supported_identity_providers                  = ["COGNITO"]

  analytics_configuration {
    application_arn  = "arn:aws:mobiletargeting:us-east-1:123456789012:apps/0123456789abcdef0123456789abcdef"
    user_data_shared = true
  }
  refresh_token_rotation {
    feature                    = "ENABLED"
    retry_grace_period_seconds = 30
  }
  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }

  # The provider does not read it: an imported app would be made anew.
  lifecycle {
    ignore_changes = [generate_secret]
  }
}

resource "aws_cognito_managed_user_pool_client" "full" {
  name_pattern                         = "^${aws_cognito_user_pool_client.of_aws.name}$"
  user_pool_id                         = aws_cognito_user_pool.full.id
  access_token_validity                = 2
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = ["${aws_cognito_resource_server.full.identifier}/read"]
  explicit_auth_flows                  = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  write_attributes                     = ["email"]
  token_validity_units {
    access_token = "hours"
  }
}

resource "aws_cognito_user_pool_client" "of_aws" {
  name            = "AmazonOpenSearchService-photos"
  user_pool_id    = aws_cognito_user_pool.full.id
  generate_secret = true
  lifecycle {
    ignore_changes = all
  }
}

resource "aws_cognito_user_group" "full" {
  name         = "full"
  user_pool_id = aws_cognito_user_pool.full.id
  description  = "Who may do more"
  precedence   = 0
  role_arn     = "arn:aws:iam::123456789012:role/full"
}

resource "aws_cognito_resource_server" "full" {
  identifier   = "https://photos.example.com"
  name         = "full"
  user_pool_id = aws_cognito_user_pool.full.id
  scope {
    scope_name        = "read"
    scope_description = "See photos"
  }
  scope {
    scope_name        = "write"
    scope_description = "Keep photos"
  }
}

resource "aws_cognito_user_pool_domain" "full" {
  domain                = "login.photos.example.com"
  user_pool_id          = aws_cognito_user_pool.full.id
  certificate_arn       = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  managed_login_version = 1
}

resource "aws_cognito_identity_pool" "full" {
  identity_pool_name               = "full"
  allow_classic_flow               = true
  allow_unauthenticated_identities = true
  developer_provider_name          = "login.photos"
  tags                             = { team = "photos" }
  cognito_identity_providers {
    client_id               = aws_cognito_user_pool_client.full.id
    provider_name           = aws_cognito_user_pool.full.endpoint
    server_side_token_check = true
  }
}

resource "aws_cognito_identity_pool_roles_attachment" "full" {
  identity_pool_id = aws_cognito_identity_pool.full.id
  roles            = { authenticated = "arn:aws:iam::123456789012:role/in", unauthenticated = "arn:aws:iam::123456789012:role/out" }
  role_mapping {
    identity_provider         = "${aws_cognito_user_pool.full.endpoint}:${aws_cognito_user_pool_client.full.id}"
    ambiguous_role_resolution = "AuthenticatedRole"
    type                      = "Rules"
    mapping_rule {
      claim      = "custom:rank"
      match_type = "Equals"
      role_arn   = "arn:aws:iam::123456789012:role/first"
      value      = "1"
    }
  }
}

resource "aws_cognito_identity_pool_provider_principal_tag" "full" {
  identity_pool_id       = aws_cognito_identity_pool.full.id
  identity_provider_name = aws_cognito_user_pool.full.endpoint
  use_defaults           = false
  principal_tags         = { team = "custom:rank", who = "sub" }
}

data "aws_cognito_user_pools" "full" {
  name = aws_cognito_user_pool.full.name
}

data "aws_cognito_user_pool" "full" {
  user_pool_id = aws_cognito_user_pool.full.id
  depends_on   = [aws_cognito_user_pool_domain.full]
}

data "aws_cognito_user_pool_client" "full" {
  user_pool_id = aws_cognito_user_pool.full.id
  client_id    = aws_cognito_user_pool_client.full.id
}

data "aws_cognito_user_pool_clients" "full" {
  user_pool_id = aws_cognito_user_pool.full.id
  depends_on   = [aws_cognito_user_pool_client.full, aws_cognito_user_pool_client.of_aws]
}

data "aws_cognito_user_pool_signing_certificate" "full" {
  user_pool_id = aws_cognito_user_pool.full.id
}

data "aws_cognito_user_group" "full" {
  user_pool_id = aws_cognito_user_pool.full.id
  name         = aws_cognito_user_group.full.name
}

data "aws_cognito_user_groups" "full" {
  user_pool_id = aws_cognito_user_pool.full.id
  depends_on   = [aws_cognito_user_group.full]
}

data "aws_cognito_identity_pool" "full" {
  identity_pool_name = aws_cognito_identity_pool.full.identity_pool_name
}

resource "aws_cognito_user_pool" "texting" {
  name                     = "texting"
  username_attributes      = ["phone_number"]
  auto_verified_attributes = ["phone_number"]

  mfa_configuration          = "ON"
  sms_authentication_message = "Sign in with {####}."
  sms_configuration {
    external_id    = "photos"
    sns_caller_arn = "arn:aws:iam::123456789012:role/sms"
    sns_region     = "us-east-1"
  }
}
