"""HTTP routers by resource and what they share."""
