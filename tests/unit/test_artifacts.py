"""Artifacts: what is altered, half-written or of another kind is refused by name."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from augstudy.core import artifacts
from augstudy.core.errors import DataError, InputError, ServiceError


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    write(path, b"some content")
    return path


def write(path: Path, content: bytes) -> None:
    with artifacts.publish(path, "dataset", config={"seed": 1}) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "images.npy").write_bytes(content)
        (folder / "classes.json").write_text('["cat"]')


def test_what_is_published_can_be_read(made: Path) -> None:
    found = artifacts.read(made, "dataset")
    assert found.json("classes.json") == ["cat"]
    assert found.file("sub/images.npy").read_bytes() == b"some content"
    with pytest.raises(DataError, match=r"holds no 'other\.npy'"):
        found.file("other.npy")


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: alter(path / "sub/images.npy"), r"images\.npy differs"),
        (lambda path: (path / "sub/images.npy").write_bytes(b"some"), r"images\.npy differs"),
        (lambda path: (path / "sub/images.npy").unlink(), r"images\.npy is missing"),
        (lambda path: (path / "sub/new.npy").write_bytes(b""), r"new\.npy does not belong"),
        (lambda path: (path / "manifest.json").write_text("{"), r"manifest\.json is damaged"),
        (lambda path: (path / "manifest.json").write_text("{}"), r"manifest\.json is damaged"),
        (lambda path: (path / "manifest.json").write_bytes(b"\xff\xfe"), r"json is damaged"),
    ],
)
def test_damage_is_named(made: Path, damage: object, message: str) -> None:
    assert callable(damage)
    damage(made)
    with pytest.raises(DataError, match=message):
        artifacts.read(made, "dataset")
    assert artifacts.find(made, "dataset", config={"seed": 1}) is None


def test_another_format_is_refused(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    (made / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 99}))
    with pytest.raises(DataError, match="has format 99"):
        artifacts.read(made, "dataset")


def test_missing_unfinished_or_other_kind(made: Path) -> None:
    with pytest.raises(InputError, match="is missing"):
        artifacts.read(made.parent / "nothing", "dataset")
    with pytest.raises(InputError, match="holds a dataset, but a gan is needed"):
        artifacts.read(made, "gan")
    (made / "manifest.json").unlink()
    with pytest.raises(InputError, match="is not a finished artifact"):
        artifacts.read(made, "dataset")


def test_a_failed_rewrite_leaves_the_old_one(made: Path) -> None:
    before = artifacts.read(made, "dataset").content_hash
    with pytest.raises(ZeroDivisionError), artifacts.publish(made, "dataset") as folder:
        (folder / "classes.json").write_text("half")
        raise ZeroDivisionError
    assert artifacts.read(made, "dataset").content_hash == before
    assert list(made.parent.iterdir()) == [made]


def test_a_rewrite_replaces_the_old_one(made: Path) -> None:
    write(made, b"new content")
    assert artifacts.read(made, "dataset").file("sub/images.npy").read_bytes() == b"new content"
    assert list(made.parent.iterdir()) == [made]


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty and not an artifact"):
        write(tmp_path, b"")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_find_wants_the_same_inputs_and_settings(made: Path) -> None:
    dataset = artifacts.read(made, "dataset")
    with artifacts.publish(made.parent / "gan", "gan", inputs={"dataset": dataset}) as folder:
        (folder / "a").write_text("a")
    gan = made.parent / "gan"
    assert artifacts.find(gan, "gan", inputs={"dataset": dataset}) is not None
    assert artifacts.find(gan, "gan") is None
    assert artifacts.find(gan, "gan", inputs={"dataset": dataset}, config={"steps": 2}) is None


def test_equal_content_has_equal_hash_whatever_its_origin(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with artifacts.publish(tmp_path / name, "x", provenance={"source": name}) as folder:
            (folder / "a").write_text("same")
    one, two = (artifacts.read(tmp_path / name, "x") for name in ("one", "two"))
    assert one.content_hash == two.content_hash
    assert one.manifest.provenance != two.manifest.provenance


def test_full_device(tmp_path: Path) -> None:
    with (
        pytest.raises(ServiceError, match=r"No space left while writing .*/data"),
        artifacts.publish(tmp_path / "data", "x"),
    ):
        Path("/dev/full").write_text("anything")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_nothing_readable(tmp_path: Path) -> None:
    program = """if True:
        import sys, time
        from pathlib import Path
        from augstudy.core import artifacts
        with artifacts.publish(Path(sys.argv[1]), "dataset") as folder:
            (folder / "images.npy").write_bytes(b"half of it")
            print("writing", flush=True)
            time.sleep(600)
    """
    path = tmp_path / "data"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        writer.send_signal(signal.SIGKILL)
    (draft,) = tmp_path.iterdir()
    for candidate in (path, draft):
        with pytest.raises(InputError, match=r"is missing|is not a finished artifact"):
            artifacts.read(candidate, "dataset")
    write(path, b"some content")
    assert artifacts.read(path, "dataset").json("classes.json") == ["cat"]
