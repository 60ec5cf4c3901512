import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from demo.__main__ import main
from demo.hub import DemoHub
from demo.items import Organisation

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=lambda signum: signum.name)
def test_it_serves_where_it_says_until_it_is_told_to_end(signum: signal.Signals) -> None:
    command = [sys.executable, "-m", "demo", "--port", "0", "--latency-ms", "1"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  our own words
        assert process.stdout is not None
        told = process.stdout.readline() + process.stdout.readline()
        url, github = re.findall(r"=(\S+)", told)
        record = httpx2.get(f"{github}/repos/wrenfield/birdnote").json()

        process.send_signal(signum)

        assert record["full_name"] == "wrenfield/birdnote"
        assert github == f"{url}/gh"
        assert process.wait(10) == 0


def test_a_busy_port_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with DemoHub(Organisation()) as hub:
        port = hub.url.rsplit(":", 1)[1]

        assert main(["--port", port]) == 1

    assert f"Cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
