"""Read the compiled pins: which versions dependencies.txt holds, and which of them a purpose needs.

`python -m tooling.pins run` prints the pins that a server needs, `cloud` those that a Lambda function needs.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tooling import places

_PIN = re.compile(r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_NAME = re.compile(r"[\w.-]+")
_WANTED_BY = re.compile(r"\s+#\s+(?:via\s+)?(?P<name>[\w.-]+)")


class Purpose(StrEnum):
    """What an environment is for; each includes the one before it."""

    RUN = "run"
    CLOUD = "cloud"
    DEVELOP = "develop"


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned distribution: its lines in the file, and the distributions that want it."""

    name: str
    version: str
    lines: tuple[str, ...]
    wanted_by: frozenset[str]


def normalized(name: str) -> str:
    """Spell a distribution's name as the package index does (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse(text: str) -> tuple[Pin, ...]:
    """Read a file that `uv pip compile` wrote, its `# via` comments included."""
    entries: list[list[str]] = []
    for line in text.splitlines():
        if _PIN.match(line):
            entries.append([line])
        elif entries and line.strip():
            entries[-1].append(line)
    return tuple(_pin(entry) for entry in entries)


def _pin(lines: Sequence[str]) -> Pin:
    match = _PIN.match(lines[0])
    assert match is not None, lines[0]  # noqa: S101 (parse starts an entry only where this matches)
    comments = (_WANTED_BY.match(line) for line in lines[1:])
    wanted_by = frozenset(normalized(comment["name"]) for comment in comments if comment and comment["name"] != "via")
    return Pin(normalized(match["name"]), match["version"], tuple(lines), wanted_by)


def requirements(pyproject: str, purpose: Purpose) -> tuple[str, ...]:
    """List the direct requirements that pyproject.toml states for a purpose, as written."""
    document = tomllib.loads(pyproject)
    stated: list[str] = list(document["project"]["dependencies"])
    if purpose is not Purpose.RUN:
        stated += [each for extra in document["project"]["optional-dependencies"].values() for each in extra]
    if purpose is Purpose.DEVELOP:
        stated += document["dependency-groups"]["dev"]
    return tuple(stated)


def name_of(requirement: str) -> str:
    """Return the normalised name that a requirement such as `Foo_Bar>=1; os_name == 'nt'` starts with."""
    match = _NAME.match(requirement.strip())
    if match is None:
        raise ValueError(f"{requirement!r} does not start with a name")
    return normalized(match[0])


def needed_for(pins: Iterable[Pin], roots: Iterable[str]) -> tuple[Pin, ...]:
    """Keep those pins that the root distributions are or want, directly or through others, in the given order."""
    pins = tuple(pins)
    kept = {normalized(root) for root in roots}
    grown = -1
    while grown != len(kept):
        grown = len(kept)
        kept |= {pin.name for pin in pins if pin.wanted_by & kept}
    return tuple(pin for pin in pins if pin.name in kept)


def select(pins_text: str, pyproject: str, purpose: Purpose) -> tuple[Pin, ...]:
    """Return the pins that an environment for `purpose` is made of."""
    return needed_for(parse(pins_text), (name_of(each) for each in requirements(pyproject, purpose)))


def as_requirements(pins: Iterable[Pin]) -> str:
    """Write pins back as a requirements file, hashes included."""
    return "".join("\n".join(pin.lines) + "\n" for pin in pins)


if __name__ == "__main__":
    print(as_requirements(select(places.PINS.read_text(), places.PYPROJECT.read_text(), Purpose(sys.argv[1]))), end="")
