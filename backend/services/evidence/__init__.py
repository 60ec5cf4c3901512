"""Gather everything known about an artifact: its host, what it links, its ancestors, and optional second looks."""
