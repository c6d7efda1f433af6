"""A loopback Cloud Storage server with the sample's drawings in it: ``container_store.py FOLDER``.

Prints its address, then serves until it is ended. It reuses the server of the tests, which must be
on the import path.
"""

import signal
import sys
from pathlib import Path

from servers import GcsServer

BUCKET = "drawings"
PREFIX = "full/numpy_bitmap"
SOURCE = f"gs://{BUCKET}/{PREFIX}"


def fill(server: GcsServer, folder: Path) -> None:
    """Put every ``.npy`` file of `folder` into the bucket, in the order of their names."""
    names = sorted(path.stem for path in folder.glob("*.npy"))
    server.put_folder(BUCKET, PREFIX, folder, names)


if __name__ == "__main__":
    with GcsServer() as store:
        fill(store, Path(sys.argv[1]))
        print(store.url, flush=True)
        signal.sigwait([signal.SIGTERM, signal.SIGINT])
