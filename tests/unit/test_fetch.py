"""``augstudy fetch``: what a run left in object storage, by the address the dashboard shows."""

from pathlib import Path

import pytest
from servers import GcsServer, S3Bucket

from augstudy.cli.app import invoke
from augstudy.core import artifacts
from augstudy.objects import open_store


@pytest.mark.parametrize("kind", ["gs", "s3", "minio", "file"])
def test_artifacts_and_objects_come_down(
    kind: str, gcs: GcsServer, s3: S3Bucket, tmp_path: Path
) -> None:
    gcs.buckets.add("runs")
    root = {"gs": "gs://runs/v2", "file": f"file://{tmp_path}/runs/v2"}.get(
        kind, f"{kind}://{s3.name}/v2"
    )
    with artifacts.publish(tmp_path / "made", "decision") as draft:
        (draft / "decision.json").write_text("{}")
    open_store(root).upload(tmp_path / "made", "promote/1/decision")
    open_store(root).write("promote/1/verdict", b"# Held")
    out = tmp_path / "out"
    assert invoke(["fetch", f"{root}/promote/1/decision", "--out", str(out)]) == 0
    assert artifacts.read(out / "decision", "decision").json("decision.json") == {}
    assert invoke(["fetch", f"{root}/promote/1/verdict", "--out", str(out)]) == 0
    assert (out / "verdict").read_text() == "# Held"


def test_what_can_go_wrong_is_told(
    gcs: GcsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with artifacts.publish(tmp_path / "made", "decision") as draft:
        (draft / "decision.json").write_text("{}")
    gcs.buckets.add("runs")
    open_store("gs://runs").upload(tmp_path / "made", "a/decision")
    gcs.put("runs", "a/decision/decision.json", b"[]")
    cases = [
        ("gs://runs/a/decision", 4, "decision.json differs from what was written"),
        ("gs://runs/a/decision", 2, "already exists: name another folder"),
        ("gs://runs/a/none", 2, "There is nothing in gs://runs/a/none/"),
        ("gs://nowhere/a", 2, "There is no bucket 'nowhere'"),
        ("gs://runs", 2, "gs://runs names no artifact"),
    ]
    for uri, code, said in cases:
        assert invoke(["fetch", uri, "--out", str(tmp_path / "out")]) == code, uri
        assert said in " ".join(capsys.readouterr().err.split())
