"""Where the parts of sets of synthetic images are: ``<folder>/<set>/<part>``, an artifact each.

The steps that make or import sets leave such folders, and `curate` gathers them in one. A part that
could not be made is a note instead of an artifact. ``images`` are its images, ``gan`` the generator
of a set that was made, ``filter`` the opinions of the filter. The filter's opinions of real images
are a part of no set.
"""

from collections.abc import Iterable
from pathlib import Path

from augstudy.core.artifacts import MANIFEST
from augstudy.core.cache import link_tree
from augstudy.core.errors import InputError

IMAGES, GAN, FILTER = "images", "gan", "filter"
REAL = "-real"  # no name of a set


def place(folder: Path, name: str, part: str) -> Path:
    """Where a part of a set is."""
    return folder / name / part


def there(folder: Path | None, name: str, part: str) -> Path | None:
    """The same, or None if there is no such part."""
    path = place(folder, name, part) if folder else None
    return path if path and (path / MANIFEST).exists() else None


def all_names(folder: Path) -> list[str]:
    """The names of the sets in a folder, sorted."""
    return [item.name for item in sorted(folder.iterdir()) if item.is_dir() and item.name != REAL]


def all_of(folder: Path, part: str) -> dict[str, Path]:
    """A part of each set that has it, by name."""
    found = {name: there(folder, name, part) for name in all_names(folder)}
    return {name: path for name, path in found.items() if path}


def chosen(folder: Path, name: str | None) -> str:
    """The set that an arm means in a folder: the only one, if it names none.

    Raises:
        InputError: there is no such set, or several to choose from.
    """
    names = all_names(folder)
    if name in names:
        return str(name)
    if name is None and len(names) == 1:
        return names[0]
    known = ", ".join(names)
    if name is not None:
        raise InputError(f"There is no set of synthetic images {name!r}; there are: {known}.")
    raise InputError(
        f"There are several sets of synthetic images ({known}): name one, as in add:1@{names[0]}."
        if names
        else "There are no synthetic images for an arm that needs some."
    )


def parts_of(folder: Path) -> dict[str, dict[str, Path]]:
    """The parts of each set in a folder by name; under an empty name that of no set."""
    found = {
        name: {part: path for part in (IMAGES, GAN, FILTER) if (path := there(folder, name, part))}
        for name in (*all_names(folder), REAL)
    }
    return {name if name != REAL else "": parts for name, parts in found.items() if parts}


def gather(folders: Iterable[Path], out: Path) -> None:
    """Put the parts of sets in several folders into one, which may be there already."""
    for folder in folders:
        for part in sorted(folder.glob("*/*")):
            target = out / part.relative_to(folder)
            target.mkdir(parents=True, exist_ok=True)
            link_tree(part, target)
