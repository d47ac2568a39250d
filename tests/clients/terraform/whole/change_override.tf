resource "aws_cognito_user_pool" "photos" {
  mfa_configuration = "ON"
}

resource "aws_cognito_user_pool_client" "web" {
  callback_urls = ["https://photos.example.com/callback", "http://localhost:3000/callback"]
}
