"""Run one of the project's commands with nothing but the standard library."""

import sys
from pathlib import Path

# Python's isolated mode, which keeps a caller's PYTHONPATH out, leaves this folder out too.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from tooling.commands import main

sys.exit(main(sys.argv[1:]))
