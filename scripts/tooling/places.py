"""Where things are in this checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
PYPROJECT = ROOT / "pyproject.toml"
PINS = ROOT / "dependencies.txt"
DATA = ROOT / "data"
ENVIRONMENT = ROOT / ".venv"
_BIN = ENVIRONMENT / "bin"
PYTHON = _BIN / "python"


def tool(name: str) -> str:
    """Path of a command that was installed into the environment."""
    return str(_BIN / name)
