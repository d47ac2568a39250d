"""The code's laws, each with a planted violation that its test must catch."""
