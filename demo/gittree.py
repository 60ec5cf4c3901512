"""The git trees of a set of files, with the ids that git itself would give them."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.content import Content, git_blob, git_object


@dataclass(frozen=True, slots=True)
class Entry:
    """A file (`blob`) or a folder (`tree`): path from the root, octal mode, id, size in bytes (0 for a folder)."""

    path: str
    kind: str
    mode: str
    id: str
    size_bytes: int


def entries(files: Mapping[str, Content]) -> list[Entry]:
    """Every folder and file, each folder before what is in it."""
    return _below("", files)[1]


def root_id(files: Mapping[str, Content]) -> str:
    """The id of the root's tree."""
    return _below("", files)[0]


def _below(top: str, files: Mapping[str, Content]) -> tuple[str, list[Entry]]:
    """The id of the folder `top` (with a slash at its end) and all entries below it."""
    names = {path[len(top) :].split("/", 1)[0] for path in files if path.startswith(top)}
    found: list[Entry] = []
    lines: list[tuple[bytes, bytes]] = []
    for name in sorted(names):
        path = top + name
        if path in files:
            entry = Entry(path, "blob", "100644", git_blob(files[path]), files[path].size_bytes)
            deeper: list[Entry] = []
            order = name.encode()
        else:
            tree_id, deeper = _below(path + "/", files)
            entry = Entry(path, "tree", "040000", tree_id, 0)
            order = name.encode() + b"/"  # git sorts a folder as if its name ended in a slash
        found += [entry, *deeper]
        lines.append((order, f"{entry.mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(entry.id)))
    return git_object("tree", b"".join(line for _, line in sorted(lines))), found
