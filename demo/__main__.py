"""Serve the stand-in for both hubs (`python -m demo`), or fill a registry from it (`python -m demo seed`)."""

import argparse
import signal
import sys
from collections.abc import Sequence

from demo import seed
from demo.hub import DemoHub
from demo.load import load

PORT = 9100
REGISTRY = "http://127.0.0.1:8000"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="where to listen on 127.0.0.1; 0 for any free port")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="how late every answer is")
    seeding = parser.add_subparsers(dest="action").add_parser("seed", help="register the demo's artifacts")
    seeding.add_argument("--base", default=REGISTRY, help=f"the registry's address, {REGISTRY} unless told")
    asked = parser.parse_args(argv)
    if asked.action == "seed":
        return seed.run(asked.base)
    return serve(asked.port, asked.latency_ms / 1000)


def serve(port: int, latency_s: float) -> int:
    """Serve until interrupted."""
    organisation = load()
    try:
        hub = DemoHub(organisation, latency_s=latency_s, port=port).start()
    except OSError as taken:
        print(f"Cannot listen on 127.0.0.1:{port}: {taken.strerror}. Choose another port: --port 0", file=sys.stderr)
        return 1
    models, datasets, code = organisation.models, organisation.datasets, organisation.repositories
    print(f"{len(models)} models, {len(datasets)} datasets and {len(code)} repositories are on {hub.url}")
    print(f"HF_ENDPOINT={hub.url} GITHUB_API_URL={hub.github_url}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        hub.wait()
    except KeyboardInterrupt:
        hub.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
