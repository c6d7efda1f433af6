"""What this machine is: its cores, memory and GPUs, and whether its CPU computes in bfloat16."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CPU = Path("/proc/cpuinfo")
_NVIDIA = Path("/proc/driver/nvidia/gpus")


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> list[str]:
    """Models of the GPUs that NVIDIA's driver has here, unless the environment hides them.

    Costs nothing, so a step can ask before it loads TensorFlow.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return []
    found = [path.read_text(encoding="utf-8") for path in sorted(_NVIDIA.glob("*/information"))]
    lines = [line.split(":", 1) for text in found for line in text.splitlines() if ":" in line]
    return [value.strip() for name, value in lines if name.strip() == "Model"]


def hardware() -> dict[str, Any]:
    """What a reader judges times by: cpu, cores, memory_gib, and gpus where there are any."""
    model, memory = platform.processor(), 0.0
    if _CPU.exists():
        lines = _CPU.read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    known = {"cpu": model, "cores": usable_cores(), "memory_gib": round(memory, 1)}
    return {**known, "gpus": found} if (found := gpus()) else known


def described(record: Mapping[str, Any]) -> str:
    """What :func:`hardware` recorded, as a line."""
    parts = (record["cpu"], f"{record['cores']} cores", f"{record['memory_gib']} GiB")
    return ", ".join([*parts, *record.get("gpus", ())])


def bf16_pays() -> bool:
    """Whether this CPU trains faster in bfloat16 than in float32; Linux x86-64 only.

    With AMX it does, and so do processors of AMD with AVX512-BF16. Those of Intel that have
    AVX512-BF16 but no AMX, as some virtual machines hide it, multiply both at the same rate and
    pay for the conversion: see ``benchmarks/precision.py``.
    """
    return amx() or all(word in _processor() for word in ("avx512_bf16", "AuthenticAMD"))


def amx() -> bool:
    """Whether this CPU multiplies matrices in bfloat16 by AMX; Linux x86-64 only."""
    return "amx_bf16" in _processor()


def _processor() -> str:
    try:
        return _CPU.read_text(encoding="utf-8")
    except OSError:
        return ""
