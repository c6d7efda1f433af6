"""Commands for object storage: champions of a retraining, artifacts of any run."""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from augstudy.cli import options
from augstudy.core import outlets
from augstudy.core.errors import InputError

if TYPE_CHECKING:
    from augstudy.objects import Store


def champions(
    store: Annotated[
        str, typer.Argument(help="Folder of the champions: gs://, s3://, minio:// or file://.")
    ],
    use: Annotated[str, typer.Option(metavar="NAME", help="Put this one in force.")] = "",
) -> None:
    """List the champions of a retraining, or roll back to one of them.

    Example: augstudy champions gs://bucket/champions/mammals --use 20261116-030109-77aa01bc
    """
    from augstudy.runs.champions import Champions

    opened = Champions(store)
    if use:
        opened.use(use, reason=f"Put in force by {_user()}.")
    pointer = opened.pointer()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("champion", "in force since", "why"):
        table.add_column(heading, no_wrap=heading != "why")
    for name in opened.names():
        current = name == pointer.get("champion")
        style = "bold green" if current else ""
        told = [str(pointer.get(key, "")) if current else "" for key in ("since", "reason")]
        table.add_row(*(Text(text, style=style) for text in (name, *told)))
    outlets.console(pipe_width=240).print(table)


def fetch(
    uri: Annotated[
        str,
        typer.Argument(
            help="gs://, s3://, minio:// or file:// address; with --images, the folder to write."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")] = Path(),
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Take address and keys of the store from the cluster.")
    ] = False,
    namespace: options.Namespace = None,
    context: options.Context = "",
    images: Annotated[
        str,
        typer.Option(metavar="RUN", help="Write the synthetic images of a run, by number or name."),
    ] = "",
    of: Annotated[str, typer.Option("--set", help="With --images: the set, if several.")] = "",
    filtered: Annotated[
        bool, typer.Option("--filtered", help="With --images: only what the filter kept.")
    ] = False,
    runs_dir: options.RunsDir = Path("runs"),
) -> None:
    """Download an artifact of a run, or a single object, and verify it.

    Give the address that the dashboard shows. An artifact is a folder with a manifest.json, and
    each of its files is checked against that; a folder without one is downloaded as it is. With
    --cluster, a store that can be reached only inside the cluster is reached through kubectl.

    With --images, write a set of synthetic images of a run of this machine as folders of PNG files
    and as Parquet, with a manifest of how each image was made.

    Example: augstudy fetch minio://mlpipeline/v2/artifacts/retrain/RUN/promote/ID/decision --out .

    Example: augstudy fetch --images 3 --set sd --filtered sd_kept
    """
    if images:
        _export(images, Path(uri), of or None, filtered, runs_dir)
        return
    parent, _, name = uri.rstrip("/").rpartition("/")
    if parent.endswith(("/", ":")) or not parent:
        raise InputError(f"{uri} names no artifact: give, for example, gs://bucket/folder/report.")
    if cluster:
        from augstudy.cli import remote
        from augstudy.cluster.stores import Stores

        with Stores(remote.settings(namespace=namespace), context) as stores:
            _download(stores.open(parent), name, out)
    else:
        from augstudy.objects import open_store

        _download(open_store(parent), name, out)
    sys.stdout.write(f"{out / name}\n")


def _export(run: str, out: Path, of: str | None, filtered: bool, runs_dir: Path) -> None:
    from augstudy.runs import choosing
    from augstudy.runs.exporting import export
    from augstudy.runs.folder import RunsFolder
    from augstudy.runs.shelf import of_store

    kept = RunsFolder(runs_dir)
    record = choosing.find(kept.records(), run)
    count = export(of_store(kept.store)(record), out, of, filtered)
    sys.stdout.write(f"{out}: {count:,} images\n")


def _download(store: "Store", name: str, out: Path) -> None:
    from augstudy.core import artifacts
    from augstudy.core.files import check_place, naming

    target = out / name
    if store.exists(name):
        check_place(target, "file")
        out.mkdir(parents=True, exist_ok=True)
        with naming(target):
            target.write_bytes(store.read(name))
    elif target.exists() and any(target.iterdir()):
        raise InputError(f"{target} already exists: name another folder with --out.")
    else:
        check_place(target, "folder")
        store.download(name, target)
        if (target / artifacts.MANIFEST).exists():
            artifacts.read(target)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for name, command in (("champions", champions), ("fetch", fetch)):
        options.add(app, name, command, "Object storage")
