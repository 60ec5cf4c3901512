"""The registry service: routers hand to services, services call storage and sources."""
