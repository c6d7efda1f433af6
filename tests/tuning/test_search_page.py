"""What the page of a search says: everything that was tried, and who was chosen among whom."""

import re

import pytest
from builders import build_dataset
from searched import hunt, skill_of, sweep_of
from swept import build_points, build_tested

from augstudy.core import artifacts
from augstudy.core.files import write_json
from augstudy.pages import kfp_metrics
from augstudy.results import files
from augstudy.runs import record
from augstudy.steps.summarize_sweep import run
from augstudy.tuning.search import TRIALS
from augstudy.tuning.sweep import parse_sweep

SWEEP = sweep_of(finalists=2, prune_after=2)


def build_searched(path, dataset, sweep, worker, workers):
    """What a worker of a search leaves: finalists as good as in the landscape, and its trials."""
    searcher = hunt(sweep, worker, workers)
    finalists = {item.id: item for item in searcher.finalists()}
    skills = {name: (skill_of(item.chosen), 0.1) for name, item in finalists.items()}
    dealt = [(item.number, item) for item in finalists.values()]
    trained = build_points(path, dataset, sweep, {"base": (0.5, 0.1), **skills}, dealt=dealt)
    made = artifacts.read(trained, "points")
    texts = {item.name: item.read_bytes() for item in path.iterdir()}
    records = [{**item.record(), "finalist": item.id in finalists} for item in searcher.tried]
    spent = {
        **made.manifest.provenance,
        "trials": {str(r["number"]): {"cpu_s": 4} for r in records},
    }
    with artifacts.publish(path, "points", inputs={"dataset": dataset}, provenance=spent) as draft:
        for name, content in texts.items():
            if name != artifacts.MANIFEST:
                (draft / name).write_bytes(content)
        write_json(draft / TRIALS, records)
    return path


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """The report of a search of two workers, and all that they tried."""
    folder = tmp_path_factory.mktemp("search")
    data, sweep = build_dataset(folder / "data", val=60, test=30), parse_sweep(SWEEP)
    workers = [build_searched(folder / f"w{n}", data, sweep, n, 2) for n in (0, 1)]
    tried = [item for n in (0, 1) for item in hunt(sweep, n, 2).tried]
    best = max(tried, key=lambda item: item.accuracy).id
    tested = (
        build_tested(folder / "base", data, "base", "base"),
        build_tested(folder / "chosen", data, "chosen", best, skill=0.8),
    )
    study = {"source": "file:///drawings", "sweep": SWEEP, "seeds": [0, 1]}
    return tried, best, run(data.path, folder / "report", workers, tested, sweep, study)


def test_finalists_are_compared_with_the_base_as_one_family(searched) -> None:
    tried, best, report = searched
    summary = report.json("summary.json")
    assert summary["chosen"] == best
    assert summary["differences"][best]["verdict"] == "helps"
    others = len(summary["points"]) - 1
    assert 2 <= others <= 4
    assert {found["comparisons"] for found in summary["differences"].values()} == {others}
    pruned = sum(item.state == "pruned" for item in tried)
    assert f"Of 16 trials ({pruned} stopped early), " in report.file("verdict.md").read_text()
    assert kfp_metrics.scalars(files.summary(summary))["22 trials stopped early"] == pruned > 0


def test_every_trial_is_on_the_page_those_cut_short_with_their_epoch(searched) -> None:
    tried, _, report = searched
    page = report.file("report.html").read_text()
    rows = re.findall(r'<tr><td class="num">(\d+)</td><td data-label="Settings">.*?</tr>', page)
    assert sorted(map(int, rows)) == list(range(16))
    for item in tried:
        if item.state == "pruned":
            assert f"after epoch {len(item.curve)}<" in page
    assert "trust its test accuracy" in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_values_are_summed_up_over_all_trials(searched) -> None:
    tried, _, report = searched
    values = report.json("summary.json")["search"]["values"]
    assert [value["label"] for value in values["batch"]] == ["256", "8", "16", "32"]
    assert all(sum(value["trials"] for value in axis) == 16 for axis in values.values())
    eight = [item for item in tried if item.chosen.get("batch") == "8"]
    complete = [item.accuracy for item in eight if item.state == "complete"]
    found = values["batch"][1]
    assert (found["trials"], found["pruned"]) == (len(eight), len(eight) - len(complete))
    assert found["best"] == max(complete)


def test_what_came_to_nothing_is_paid_for(searched) -> None:
    tried, _, report = searched
    summary = report.json("summary.json")
    finalists = sum(item["finalist"] for item in summary["search"]["trials"])
    points = sum(point["cpu_s"] for point in summary["points"].values())
    assert summary["cost"]["cpu_s"] == points + 4 * (len(tried) - finalists)


def test_the_tracker_has_a_row_for_each_that_was_trained_with_all_seeds(searched) -> None:
    summary = files.read_summary(searched[2].path)
    rows = record.build({"id": 1, "state": "done"}, summary)["arms"]
    assert {row["arm"] for row in rows} == set(summary.points)
    tested = {row["arm"] for row in rows if row["accuracy"] is not None}
    assert tested == {"base", searched[1]}
