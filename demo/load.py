"""Read an organisation from its folder: a YAML file for each item, named `owner__name.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from demo.items import Account, CodeRepository, HubRepo, Organisation, dataset, model, repository

HERE = Path(__file__).parent / "organisation"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        except (TypeError, KeyError, ValueError, yaml.YAMLError) as wrong:
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
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  the safe loader, in C where built
