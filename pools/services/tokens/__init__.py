"""What a sign-in ends in: tokens and browser sessions, and what continues them. Who may have one, ``sign_in`` says."""
