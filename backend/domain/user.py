"""Who is calling."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """A caller that has been recognised."""

    name: str
    is_admin: bool


LOCAL = User(name="local", is_admin=True)
"""Everyone who reaches a registry that runs open, on a loopback bind."""

SYSTEM = User(name="registry", is_admin=True)
"""The registry itself, for work that no request asked for."""
