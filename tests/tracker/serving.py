"""The web page on loopback, for tests."""

import threading
from collections.abc import Iterator

from augstudy.ui.library import Library
from augstudy.ui.server import Server


def serve(library: Library) -> Iterator[Server]:
    """A server that answers as long as a fixture or test lasts."""
    with Server(library) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
