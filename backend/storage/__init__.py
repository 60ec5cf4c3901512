"""Where the registry keeps things, behind protocols that every backend fulfils in full."""
