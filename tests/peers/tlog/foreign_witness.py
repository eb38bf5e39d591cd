"""Runs aics-witness, a C2SP tlog-witness that we did not write, for one log.

    foreign_witness.py DIR ORIGIN LOG_VKEY... [--listen HOST:PORT] [--name NAME]

DIR keeps its configuration, key and state; started again on the same DIR it goes on where it was.
Without --listen it takes a free port of 127.0.0.1. Once it answers it prints

    vkey NAME+ID+KEY
    url http://HOST:PORT

and serves until SIGTERM or SIGINT. `add-checkpoint` stands right below the URL. Its own log goes to
standard error.
"""

import argparse
import contextlib
import io
import socket
import sys
import threading
import time
import urllib.request
from pathlib import Path

from aics_witness.cli import main as aics_witness

STARTS_WITHIN = 20  # seconds


def main() -> int:
    parser = argparse.ArgumentParser(description="run aics-witness for one log")
    parser.add_argument("dir", type=Path)
    parser.add_argument("origin")
    parser.add_argument("vkeys", nargs="+")
    parser.add_argument("--listen", default=None)
    parser.add_argument("--name", default="foreign.example/witness")
    args = parser.parse_args()
    args.dir.mkdir(parents=True, exist_ok=True)
    listen = args.listen or f"127.0.0.1:{free_port()}"
    config = str(args.dir / "witness.json")

    vkey = run("init", "--config", config, "--name", args.name).strip()
    for log_vkey in args.vkeys:
        run("add-log", "--config", config, "--origin", args.origin, "--vkey", log_vkey)
    url = f"http://{listen}"
    threading.Thread(target=announce, args=(vkey, url), daemon=True).start()
    # In this process, so that a signal to it reaches the witness.
    return aics_witness(["serve", "--config", config, "--listen", listen])


def run(*arguments: str) -> str:
    """What a command prints; ends this process where the command fails."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = aics_witness(list(arguments))
    if status != 0:
        sys.exit(status)
    return printed.getvalue()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def announce(vkey: str, url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}/healthz", timeout=1).close()
            print(f"vkey {vkey}\nurl {url}", flush=True)
            return
        time.sleep(0.05)
    print(f"aics-witness did not answer within {STARTS_WITHIN} s", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
