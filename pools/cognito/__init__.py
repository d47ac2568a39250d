"""The wire adapter: both Cognito services as AWS JSON 1.1, by Amazon's own model. Decides nothing itself."""
