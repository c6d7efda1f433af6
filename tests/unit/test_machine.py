"""What this machine is, in words."""

from pathlib import Path

import pytest

from augstudy.core import machine

INFORMATION = """Model: \t\t {model}
IRQ:   \t\t 118
GPU UUID: \t GPU-0c5e1d55-0000-0000-0000-000000000000
Video BIOS: \t 96.00.5e.00.01
Bus Type: \t PCIe
Bus Location: \t 0000:{place}:00.0
"""


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files as NVIDIA's driver has them."""
    models = ["NVIDIA H100 80GB HBM3", "Tesla T4"]
    for place, model in zip(("1b", "43"), models, strict=True):
        folder = tmp_path / f"0000:{place}:00.0"
        folder.mkdir()
        (folder / "information").write_text(INFORMATION.format(model=model, place=place))
    monkeypatch.setattr(machine, "_NVIDIA", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return models


def test_gpus_are_named(two_gpus: list[str]) -> None:
    assert machine.gpus() == two_gpus
    assert machine.hardware()["gpus"] == two_gpus
    assert machine.described(machine.hardware()).endswith(" GiB, NVIDIA H100 80GB HBM3, Tesla T4")


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus_are_none(
    two_gpus: list[str], hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert machine.gpus() == []
    assert "gpus" not in machine.hardware()


def test_a_machine_without_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_NVIDIA", tmp_path / "none")
    assert machine.gpus() == []
    assert machine.described(machine.hardware()).endswith(" GiB")


@pytest.mark.parametrize(
    ("vendor", "flags", "pays"),
    [
        ("GenuineIntel", "avx512f avx512_bf16 amx_bf16 amx_tile", True),
        ("GenuineIntel", "avx512f avx512_bf16", False),
        ("AuthenticAMD", "avx512f avx512_bf16", True),
        ("AuthenticAMD", "avx2", False),
    ],
)
def test_bfloat16_is_used_where_it_is_faster(
    vendor: str, flags: str, pays: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"vendor_id\t: {vendor}\nflags\t\t: fpu {flags}\n")
    monkeypatch.setattr(machine, "_CPU", tmp_path / "cpuinfo")
    assert machine.bf16_pays() is pays


def test_a_machine_without_cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CPU", tmp_path / "none")
    assert not machine.bf16_pays()
