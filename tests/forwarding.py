"""Stands for kubectl: forwards a port of its own to the address in FORWARD_TO, as it is asked to.

Notes what it was asked in the file that FORWARD_ASKED names, and refuses without an address.
"""

import os
import socket
import sys
import threading
from pathlib import Path


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(caller: socket.socket, host: str, port: str) -> None:
    with caller, socket.create_connection((host, int(port))) as store:
        back = threading.Thread(target=copy, args=(store, caller))
        back.start()
        copy(caller, store)
        back.join()


def main() -> int:
    with Path(os.environ["FORWARD_ASKED"]).open("a") as stream:
        stream.write(" ".join(sys.argv[1:]) + "\n")
    if not os.environ["FORWARD_TO"]:
        sys.stderr.write("error: unable to forward port because pod is not running\n")
        return 1
    host, _, port = os.environ["FORWARD_TO"].partition(":")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        own = listening.getsockname()[1]
        sys.stdout.write(f"Forwarding from 127.0.0.1:{own} -> 8333\n")
        sys.stdout.flush()
        while True:
            caller, _ = listening.accept()
            sys.stdout.write(f"Handling connection for {own}\n")
            sys.stdout.flush()
            threading.Thread(target=serve, args=(caller, host, port), daemon=True).start()


def install(folder: Path) -> None:
    """Put it as ``kubectl`` into a folder."""
    program = folder / "kubectl"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).read_text()}")
    program.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())
