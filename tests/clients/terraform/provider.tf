terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "cognate" {
  description = "Where Cognate answers: its BASE_URL"
  default     = "http://localhost:8000"
}

# An access key of the console's is read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
provider "aws" {
  region                      = "us-east-1" # Cognate's REGION
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {
    cognitoidentity = var.cognate
    cognitoidp      = var.cognate
  }
}
