import hashlib
from pathlib import Path

import numpy as np
import pytest

from augstudy.core.files import write_arrays


def test_arrays_come_back(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "b": np.float32(0.5), "c": [1, 2]}
    write_arrays(tmp_path / "x.npz", **arrays)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as stored:
        assert stored.files == ["a", "b", "c"]
        for name, array in arrays.items():
            np.testing.assert_array_equal(stored[name], array)
            assert stored[name].dtype == np.asarray(array).dtype


def test_bytes_hang_on_nothing_but_the_arrays(tmp_path: Path) -> None:
    """Not on the time, nor on the version of Python: containers have another one than laptops."""
    write_arrays(tmp_path / "x.npz", a=np.arange(4, dtype=np.int32))
    digest = hashlib.sha256((tmp_path / "x.npz").read_bytes()).hexdigest()
    assert digest == "be05fc7437734759592c5a24bd9e085777cd0fc908ee3c6598fbf2da4018df1b"


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_arrays(tmp_path / "x.npz", a=np.array([{}]))
