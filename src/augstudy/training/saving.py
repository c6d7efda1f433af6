"""Save and load models so that equal weights give equal bytes."""

import json
import re
import tempfile
import zipfile
from pathlib import Path

from augstudy.core.errors import DataError
from augstudy.models import conditional, layers, spectral  # noqa: F401 (they register layers)
from augstudy.models.backend import keras
from augstudy.models.normalisation import fused

_EPOCH = (1980, 1, 1, 0, 0, 0)
_LONGEST_TEXT = 16 << 20  # bytes of the description of a network


def save_model(model: keras.Model, path: Path) -> None:
    """Write `model` as a ``.keras`` archive that depends on its architecture and weights alone.

    Keras would put the time of saving and addresses of objects into it.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".save-") as folder:
        stamped = Path(folder) / path.name
        model.save(stamped)
        with zipfile.ZipFile(stamped) as source, zipfile.ZipFile(path, "w") as target:
            for name in sorted(source.namelist()):
                content = source.read(name)
                if name == "metadata.json":
                    content = _without_date(content)
                elif name == "config.json":
                    content = _with_numbered_objects(content)
                target.writestr(zipfile.ZipInfo(name, _EPOCH), content)


def load_model(path: Path) -> keras.Model:
    """Load a ``.keras`` archive without running any code from it.

    Raises:
        DataError: the file is not a readable model.
    """
    try:
        _check_sizes(path)
        return fused(keras.saving.load_model(path, compile=False, safe_mode=True))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a model for this version: train it again.") from error


def _check_sizes(path: Path) -> None:
    """Refuse an archive that would fill the memory: Keras reads its members whole.

    Models are stored without compression, so no member can be larger than its file.

    Raises:
        ValueError: it would.
    """
    with zipfile.ZipFile(path) as archive:
        for item in archive.infolist():
            described = item.filename.endswith(".json") and item.file_size > _LONGEST_TEXT
            if described or item.file_size > item.compress_size + _LONGEST_TEXT:
                raise ValueError(f"{item.filename} is too large")


def _without_date(metadata: bytes) -> bytes:
    values = json.loads(metadata)
    values.pop("date_saved", None)
    return json.dumps(values, sort_keys=True).encode()


def _with_numbered_objects(config: bytes) -> bytes:
    """Replace the addresses by which shared objects are told apart with 0, 1, 2..."""
    numbers: dict[bytes, int] = {}

    def number(match: re.Match[bytes]) -> bytes:
        return match[1] + str(numbers.setdefault(match[2], len(numbers))).encode()

    return re.sub(rb'("shared_object_id": )(\d+)', number, config)
