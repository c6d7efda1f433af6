"""A sweep of generators through the real command line, with every real step, tiny."""

import json
from pathlib import Path

from program import in_this_process, record

from augstudy.core import artifacts


def test_the_smoke_sweep_ends_with_a_page_and_a_record(tmp_path: Path) -> None:
    done = in_this_process(tmp_path, "run", "gan_tuning", "--preset", "smoke")
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "0001"
    summary = json.loads((run / "summary.json").read_text())
    assert list(summary["points"]) == ["base", "balance=discriminator x4"]
    assert "discriminator x4" in (run / "report.html").read_text()
    assert "balance=discriminator x4" in done.stdout
    found: dict[str, int] = {}
    for manifest in (run / "artifacts").rglob(artifacts.MANIFEST):
        kind = json.loads(manifest.read_text())["kind"]
        artifacts.read(manifest.parent, kind)
        found[kind] = found.get(kind, 0) + 1
    assert found == {"dataset": 1, "judge": 1, "gan_points": 1, "report": 1}
    assert record(tmp_path)["cpu_s"] > 0
    assert "gan_tuning" in in_this_process(tmp_path, "runs").stdout
