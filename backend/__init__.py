"""The registry service: routers hand to services, services call storage and sources."""

VERSION = "0.1.0"
