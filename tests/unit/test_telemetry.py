"""What a step says of itself: how it ended and what it cost."""

import json
from pathlib import Path

import pytest

from augstudy.core import artifacts, telemetry
from augstudy.core.stopping import TERMINATED, Terminated


@pytest.mark.parametrize(
    ("error", "outcome"), [(Terminated(TERMINATED), "stopped"), (ValueError("no"), "failed")]
)
def test_a_step_that_was_asked_to_end_has_not_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, outcome: str
) -> None:
    monkeypatch.setenv(telemetry.EVENTS_VARIABLE, str(tmp_path / "events"))
    with pytest.raises(type(error)), telemetry.stage("train_gan"):
        raise error
    last = json.loads((tmp_path / "events").read_text().splitlines()[-1])
    assert (last["event"], last["outcome"]) == ("end", outcome)


def test_what_a_part_had_cost_counts_where_it_is_used_again() -> None:
    with telemetry.stage("train_cnn") as stage:
        own = stage.cost()
        stage.credit({"wall_s": 5.0, "cpu_s": 7.0, "read_at": "never"})
        assert stage.cost()["cpu_s"] == pytest.approx(own["cpu_s"] + 7, abs=0.5)
        spent = artifacts.cost(since=own)
    assert spent["wall_s"] == pytest.approx(5, abs=0.5)
