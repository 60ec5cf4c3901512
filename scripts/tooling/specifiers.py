"""Compare, offline, what pyproject.toml asks for with what dependencies.txt pins; a program of the environment."""

import sys
from collections.abc import Iterator

from packaging.requirements import Requirement

from tooling import pins, places
from tooling.pins import Purpose


def disagreements(pyproject: str, pins_text: str) -> Iterator[str]:
    """Say, a sentence each, which direct requirements the pins lack or do not satisfy."""
    pinned = {pin.name: pin.version for pin in pins.parse(pins_text)}
    for stated in pins.requirements(pyproject, Purpose.DEVELOP):
        version = pinned.get(pins.name_of(stated))
        if version is None:
            yield f"{stated} is not pinned"
        elif not Requirement(stated).specifier.contains(version, prereleases=True):
            yield f"{stated} is pinned to {version}"


if __name__ == "__main__":
    found = list(disagreements(places.PYPROJECT.read_text(), places.PINS.read_text()))
    print("\n".join(found))
    sys.exit("Run scripts/compile-dependencies." if found else 0)
