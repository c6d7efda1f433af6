"""Names of classes never lead out of a source."""

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from augstudy.core.errors import InputError
from augstudy.data.sources import find_class, open_source
from augstudy.local import catalog, parameters
from augstudy.settings.base import parse
from augstudy.settings.data import DataSettings

OUTSIDE = (
    "../secret",
    "/abs/secret",
    "..",
    ".",
    "",
    " ",
    "a/b",
    "a\\b",
    "..\\secret",
    "%2e%2e%2fsecret",
    "%2E%2E/secret",
    "%252e%252e%252fsecret",
    "..%5csecret",
    "cow\0",
    "cow%00",
    "cow\n",
    "caf\udce9",
    "x" * 300,
)
GOOD = (
    "The Eiffel Tower",
    "100%",
    "50%25",
    "a.b",
    "..a",
    "$x$",
    "ß",
    "what?",
    "c#",
    "[a]",
    "a&b=c",
)


@pytest.fixture
def folder(tmp_path: Path, drawings: Path) -> Path:
    """A source, with a file beside it that is none of its classes."""
    made = tmp_path / "source"
    made.mkdir()
    shutil.copy(drawings / "cow.npy", tmp_path / "secret.npy")
    for name in GOOD:
        shutil.copy(drawings / "cow.npy", made / f"{name}.npy")
    return made


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_out_of_a_source(folder: Path, name: str) -> None:
    outside = str(folder.parent / "secret") if name == "/abs/secret" else name
    with pytest.raises(InputError, match="cannot be the name of a class"):
        parse(DataSettings, {"classes": [outside, "cow"]}, "the data settings")
    with pytest.raises(InputError, match="cannot be the name of a class"):
        find_class(open_source(f"file://{folder}"), outside)


def test_other_names_are_read_from_a_folder_and_from_the_web(folder: Path, tmp_path: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for uri in (f"file://{folder}", f"http://127.0.0.1:{server.server_port}"):
            source = open_source(uri, cache=tmp_path / "cache")
            assert set(source.list_classes()) == set(GOOD)
            for name in GOOD:
                info = find_class(source, name)
                assert source.read(info, 0, info.size).startswith(np.lib.format.MAGIC_PREFIX)
    finally:
        server.shutdown()
        server.server_close()


def test_classes_that_yaml_reads_stay_names() -> None:
    known = catalog.parameters(catalog.load("augmentation_study"))
    given = parameters.resolve("x", known, [{"classes": "0,1,yes,null,2020-01-01,The Mona Lisa"}])
    assert given["classes"] == ["0", "1", "yes", "null", "2020-01-01", "The Mona Lisa"]
