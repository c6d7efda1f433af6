"""Stands for docker, kind, kubectl and helm: notes what it was asked and plays along.

The folder in FAKE_STATE holds ``asked`` (a line a call), ``clusters``, ``images`` (what Docker has)
and ``gpus`` (of the one node).
"""

import os
import socket
import sys
import time
from pathlib import Path

STATE = Path(os.environ["FAKE_STATE"])


def lines(name: str) -> list[str]:
    path = STATE / name
    return path.read_text().split() if path.exists() else []


def docker(words: list[str]) -> int:
    if words[:2] == ["image", "inspect"]:
        return 0 if words[2] in lines("images") else 1
    return 0


def kind(words: list[str]) -> int:
    clusters = set(lines("clusters"))
    if words[:2] == ["get", "clusters"]:
        sys.stdout.write("\n".join(sorted(clusters)))
        return 0
    if words[1:2] == ["cluster"]:
        name = words[words.index("--name") + 1]
        clusters = clusters | {name} if words[0] == "create" else clusters - {name}
        (STATE / "clusters").write_text("\n".join(clusters))
    return 0


def kubectl(words: list[str]) -> int:
    if "port-forward" in words:
        with socket.create_server(("127.0.0.1", int(words[-1].partition(":")[0]))):
            time.sleep(60)
    if "get" in words and "nodes" in words:
        sys.stdout.write("node/one\n")
    elif "get" in words and "node/one" in words:
        sys.stdout.write("".join(lines("gpus")))
    elif "patch" in words:
        (STATE / "gpus").write_text("2")
    return 0


def main() -> int:
    name, words = Path(sys.argv[0]).name, sys.argv[1:]
    with (STATE / "asked").open("a") as stream:
        stream.write(f"{name} {' '.join(words)}\n")
    answer = {"docker": docker, "kind": kind, "kubectl": kubectl}.get(name)
    return answer(words) if answer else 0


sys.exit(main())
