"""How networks are trained and saved."""
