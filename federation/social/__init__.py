"""Providers of the public: what each does otherwise than OpenID Connect says."""
