"""``submit --seeds auto``: rounds of seeds on a KFP server and a store on loopback."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from found import difference, paired, study
from kfp_server import BAD, KfpServer
from said import Program
from servers import GcsServer

from augstudy.core import artifacts

ROOT = "gs://artifacts/kfp"
ASKED = ("submit", "--preset", "smoke", "--arms", "real,add:1", "--seeds", "auto:8")
FOLLOWED = ("--wait", "--poll", "0", "--pipeline-root", ROOT)


class Studies:
    """Puts what a run found where its last step would: a verdict from so many seeds on."""

    def __init__(self, gcs: GcsServer, told_after: int) -> None:
        self._gcs, self._told_after = gcs, told_after
        self.seeds: list[list[int]] = []
        gcs.put("artifacts", "kfp/other", b"")

    def __call__(self, run: dict[str, Any]) -> None:
        seeds = [int(seed) for seed in run["runtime_config"]["parameters"]["seeds"]]
        self.seeds.append(seeds)
        low = 0.01 if len(seeds) >= self._told_after else -0.01
        found = paired(0.02, low, 0.05, 0.001, seeds=len(seeds))
        content = study(differences={"add:1": difference(found)}).model_dump_json().encode()
        prefix = f"kfp/augmentation-study/{run['run_id']}/summarize/1f2e/report"
        self._gcs.put("artifacts", f"{prefix}/summary.json", content)
        self._gcs.put("artifacts", f"{prefix}/{artifacts.MANIFEST}", b"{}")


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a cluster whose trainings keep checkpoints."""
    file = tmp_path / "cluster.yaml"
    file.write_text(yaml.safe_dump({"checkpoints": "gs://artifacts/checkpoints"}))
    monkeypatch.setenv("AUGSTUDY_CLUSTER", str(file))


@pytest.mark.usefixtures("checkpoints")
def test_rounds_are_submitted_until_there_is_a_verdict(
    kfp: KfpServer, gcs: GcsServer, program: Program
) -> None:
    kfp.started = studies = Studies(gcs, told_after=5)
    said = program(*ASKED, *FOLLOWED)
    assert said.code == 0, said.err
    assert studies.seeds == [[0, 1], [0, 1, 2, 3], [*range(7)]]
    assert len({run["display_name"] for run in kfp.runs.values()}) == 3
    assert "There is no verdict on add:1 after 2 seeds: going on with 2 more seeds" in said.out
    assert "After 7 seeds, every arm that answers the question has its verdict." in said.out
    looked = [run["runtime_config"]["parameters"]["looks"] for run in kfp.runs.values()]
    assert looked == [[2, 4, 7, 8]] * 3


@pytest.mark.usefixtures("checkpoints")
def test_a_round_that_fails_ends_it(kfp: KfpServer, gcs: GcsServer, program: Program) -> None:
    kfp.states = [BAD]
    kfp.started = studies = Studies(gcs, told_after=5)
    assert program(*ASKED, *FOLLOWED).code == 1
    assert len(studies.seeds) == 1


@pytest.mark.usefixtures("checkpoints")
def test_no_round_begins_that_would_end_too_late(
    kfp: KfpServer, gcs: GcsServer, program: Program
) -> None:
    kfp.started = studies = Studies(gcs, told_after=99)
    said = program(*ASKED, *FOLLOWED, "--max-hours", "0")
    assert said.code == 0, said.err
    assert len(studies.seeds) == 1 and "too little is left of max_hours" in said.out


@pytest.mark.usefixtures("checkpoints")
def test_results_that_cannot_be_found_are_an_error(
    kfp: KfpServer, gcs: GcsServer, program: Program
) -> None:
    gcs.put("artifacts", "kfp/other", b"")
    said = program(*ASKED, *FOLLOWED)
    assert said.code == 3 and "its report is not where it should be" in said.err


def test_what_it_takes_is_said_before_anything_is_submitted(
    kfp: KfpServer, program: Program
) -> None:
    for more, told in (
        (("--wait",), "needs checkpoints in cluster.yaml"),
        ((), "--seeds auto needs --wait"),
    ):
        said = program(*ASKED, *more)
        assert said.code == 2 and told in said.err
    said = program("submit", "--preset", "smoke", "--max-hours", "1")
    assert said.code == 2 and "--seeds auto" in said.err
    cron = ("schedule", "augmentation_study", "--cron", "0 0 3 * * 1", "--preset", "smoke")
    said = program(*cron, "--seeds", "auto")
    assert said.code == 2 and "A schedule runs the same study" in said.err
    assert not kfp.runs
