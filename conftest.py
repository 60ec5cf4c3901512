"""What every suite shares."""

from pathlib import Path

import pytest

WALKS = "tests_main.py"
"""The end-to-end walks, and the one name that stands for every suite."""


def pytest_configure(config: pytest.Config) -> None:
    """Let `pytest tests_main.py` run every suite: the walks alone would leave most of the registry untried."""
    named = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    if named == [config.rootpath / WALKS]:
        config.args[:] = [str(Path(config.rootpath, suite)) for suite in config.getini("testpaths")]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on the event loop that the server uses."""
    return "asyncio"
