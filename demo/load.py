"""Read an organisation from its folder: a YAML file for each item, named `owner__name.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml

from demo.items import Account, CodeRepository, HubRepo, Organisation, dataset, model, repository

HERE = Path(__file__).parent / "organisation"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # written in C where it was built
    """YAML as of version 1.2, where `on` and `no` are words and only `true` and `false` are not."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@cache
def load(folder: Path = HERE) -> Organisation:
    """Read `models/`, `datasets/`, `repositories/` and `accounts.yaml`; read once, shared after that.

    Raises:
        ValueError: a file states something that nothing reads, or lacks what it must have; names the file.
    """
    licences = {path.stem: path.read_text(encoding="utf-8") for path in (folder / "licences").glob("*.txt")}
    items: list[HubRepo | CodeRepository | Account] = []
    for path in sorted(folder.glob("*/*.yaml")):
        try:
            items.append(_item(path, licences))
        except (AttributeError, TypeError, KeyError, ValueError, yaml.YAMLError) as wrong:
            raise ValueError(f"{path.name}: {wrong}") from wrong
    accounts = [Account(**entry) for entry in _read(folder / "accounts.yaml")]
    return Organisation.of(*items, *accounts)


def _item(path: Path, licences: dict[str, str]) -> HubRepo | CodeRepository:
    stated, name = _read(path), path.stem.replace("__", "/")
    match path.parent.name:
        case "models":
            return model(name, **stated)
        case "datasets":
            return dataset(name, **stated)
        case "repositories":
            if stated.get("license") in licences:
                stated["files"].setdefault("LICENSE", licences[stated["license"]])
            return repository(name, **stated)
    raise ValueError("lies in no folder of models, datasets or repositories")


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  a safe loader, as above
