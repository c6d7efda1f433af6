"""Sweeps of generators: verdicts on points, failing runs, the page."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from builders import build_dataset, write_json

from augstudy.core import artifacts, cache
from augstudy.core.errors import InputError
from augstudy.core.files import write_arrays
from augstudy.local import catalog, parameters
from augstudy.models import discriminators
from augstudy.models.backend import keras
from augstudy.models.gan_recipes import gan_recipe
from augstudy.pages import answers
from augstudy.results import files, gan_sweep
from augstudy.runs import record
from augstudy.settings.generators import GanSettings
from augstudy.settings.spec import DRAWING
from augstudy.steps import train_gan_points
from augstudy.steps.study import Study
from augstudy.steps.summarize_gan_sweep import run
from augstudy.training import gan
from augstudy.training.stability import Stability
from augstudy.tuning.gan_points import KIND, Drawn
from augstudy.tuning.points import deal, settings_of
from augstudy.tuning.sweep import expand, parse_sweep

SWEEP = {
    "axes": [
        {
            "name": "balance",
            "values": [
                {"label": label, "set": {"discriminator_rate": rate}}
                for label, rate in (("x2", 2.0), ("x4", 4.0), ("x8", 8.0))
            ],
        }
    ]
}
# FID-QD of each point; the discriminator of the last one wins for good with the second seed.
SKILLS = {"base": 60.0, "balance=x2": 40.0, "balance=x4": 80.0, "balance=x8": 20.0}


def run_record(seed, fid, verdict="stable"):
    values = {"fid_qd": fid, "kid": fid / 100, "recall": 0.5, "coverage": 0.4, "cas": 0.6}
    metrics = {name: {"value": value} for name, value in {**values, "gan_test": 0.7}.items()}
    reason = "The discriminator recognises every generated image." if verdict == "failed" else ""
    return {
        "seed": seed,
        "stability": {"verdict": verdict, "reason": reason},
        "metrics": {} if verdict == "failed" else metrics,
        "best_step": 100,
        "parameters": 1000,
    }


def build_gan_points(path, dataset, judge, seeds=(0, 1)):
    sweep, generator = parse_sweep(SWEEP), np.random.default_rng(0)
    records, samples, costs, histories = [], {}, {}, []
    for place, point in enumerate(expand(sweep)):
        runs = []
        for seed in seeds:
            failed = point.id == "balance=x8" and seed == seeds[-1]
            fid = SKILLS[point.id] + generator.normal(0, 1.0)
            runs.append(run_record(seed, fid, "failed" if failed else "stable"))
            shown = 0 if failed else 8
            samples[f"{point.id}/{seed}"] = np.full((11, shown, 28, 28), 99, np.uint8)
            histories.append(pd.DataFrame({"step": [1], "point": point.id, "seed": seed}))
        records.append(
            {"place": place, "id": point.id, "chosen": point.chosen, "changes": point.changes}
            | {"seeds": list(seeds), "runs": runs}
        )
        costs[point.id] = {"cpu_s": 10.0, "wall_s": 9.0}
    spent, inputs = {"points": costs}, {"dataset": dataset, "judge": judge}
    with artifacts.publish(path, KIND, inputs=inputs, provenance=spent) as draft:
        write_json(draft / "points.json", records)
        write_arrays(draft / "samples.npz", **samples)
        pd.concat(histories).to_csv(draft / "history.csv", index=False)
    return path


def build_judge(path):
    with artifacts.publish(path, "judge") as draft:
        write_json(draft / "judge.json", {})
    return artifacts.read(path, "judge")


def summarised(folder, seeds=(0, 1)):
    data, judge = build_dataset(folder / "data"), build_judge(folder / "judge")
    points = build_gan_points(folder / "points", data, judge, seeds)
    study = {"sweep": SWEEP, "source": "file:///drawings"}
    return run(data.path, judge.path, folder / "report", [points], parse_sweep(SWEEP), study)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return summarised(tmp_path_factory.mktemp("gans"))


def test_the_best_stable_point_is_chosen_and_an_unstable_one_never(report) -> None:
    summary = report.json("summary.json")
    assert summary["chosen"] == "balance=x2"
    verdicts = {name: item["verdict"] for name, item in summary["differences"].items()}
    assert verdicts == {"balance=x2": "better", "balance=x4": "worse", "balance=x8": "not stable"}
    change = summary["differences"]["balance=x2"]["metrics"]["fid_qd"]
    assert change["low"] < change["mean"] < change["high"] < 0
    assert summary["headline"]["verdict"] == "better"
    assert "3 of 4 points train stably" in report.file("verdict.md").read_text()


def test_the_page_shows_drawings_verdicts_and_reasons(report) -> None:
    page = report.file("report.html").read_text()
    for text in ("Balance", "x8", "not stable", "recognises every generated", "FID-QD", "Coverage"):
        assert text in page
    assert len(re.findall(r'alt="Images of', page)) == 4
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    row = record.build({"id": 1, "state": "done"}, files.read_summary(report.path))
    assert row["gan_verdict"] == "3 of 4 stable"
    assert row["fid_qd"] == pytest.approx(40, abs=3)


def test_one_seed_tells_nothing(tmp_path) -> None:
    summary = summarised(tmp_path, seeds=(0,)).json("summary.json")
    verdicts = {item["verdict"] for item in summary["differences"].values()}
    assert verdicts == {"can't tell yet", "not stable"}


def drawn(place, name, fids, verdicts=("stable",) * 3):
    runs = [run_record(*run) for run in zip(range(3), fids, verdicts, strict=True)]
    chosen = {} if name == "base" else {"steps": name}
    return Drawn(place, name, chosen, {}, [0, 1, 2], runs, [], pd.DataFrame(), {})


@pytest.mark.parametrize(
    ("base", "answer", "word"),
    [
        (
            [5.0, 5.1, 5.2],
            "Steps 10 is the best that trains stably; the base draws better, but is not stable.",
            "worse",
        ),
        ([40.0, 40.1, 40.2], "Steps 10 is better than the base.", "better"),
    ],
)
def test_a_base_that_is_not_stable_may_draw_better_than_the_best_that_is(
    report, base, answer, word
):
    points = [
        drawn(0, "base", base, ("stable", "stable", "overfitted")),
        drawn(1, "steps=10", [20.0, 20.2, 20.1]),
        drawn(2, "steps=20", [30.0, 30.2, 30.1]),
    ]
    data = artifacts.read(report.path.parent / "data", "dataset")
    sweep = parse_sweep(SWEEP)
    found = gan_sweep.summarise(gan_sweep.Material(data, None, [], points, sweep, {}))
    said = answers.answer(found)
    assert (said.answer, found.headline.verdict) == (answer, word)
    assert said.sentence.endswith(f"FID-QD, 20.1 (the base {base[1]:.1f}).")


def test_a_failed_run_is_a_result_and_draws_nothing(tmp_path, monkeypatch) -> None:
    drawings = SimpleNamespace(images=np.zeros((4, 28, 28), np.uint8), labels=np.arange(4) % 2)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    stability = Stability("failed", {"code": "diverged", "since": 1})
    trained = gan.Trained(model, None, [{"step": 1.0}], np.array([1]), np.zeros(1), 1, stability)
    monkeypatch.setattr(train_gan_points.gan, "train", lambda *_, **__: trained)
    studio = object.__new__(train_gan_points._Studio)
    studio.__dict__.update(
        classes=["a", "b"], spec=DRAWING, training=drawings, validation=drawings, score=None
    )
    trial = SimpleNamespace(settings=None)
    keeper = SimpleNamespace(write=lambda: None)
    studio.train(tmp_path, trial=trial, seed=3, progress=None, keeper=keeper)
    made = pd.read_json(tmp_path / "run.json", typ="series")
    assert made["stability"]["verdict"] == "failed"
    assert made["metrics"] == {}
    with np.load(tmp_path / "samples.npz") as stored:
        assert stored["images"].shape == (2, 0, 28, 28)


def test_a_killed_worker_goes_on_and_keeps_the_best_generators(tmp_path, monkeypatch) -> None:
    calls = []

    class Studio:
        def __init__(self, inputs):
            self.inputs, self.classes = inputs, ["a", "b"]

        def train(self, folder, *, trial, seed, progress, keeper):
            if len(calls) == Studio.limit:
                raise KeyboardInterrupt
            calls.append((trial.point.id, seed))
            progress(1, 1, "pretending")
            failed = trial.point.id == "balance=x8"
            fid = SKILLS[trial.point.id]
            write_json(folder / "run.json", run_record(seed, fid, "failed" if failed else "stable"))
            write_arrays(folder / "samples.npz", images=np.zeros((2, 8, 28, 28), np.uint8))
            pd.DataFrame({"step": [1]}).to_csv(folder / "history.csv", index=False)
            (folder / "generator.keras").write_text(trial.point.id)

    monkeypatch.setattr(train_gan_points, "_Studio", Studio)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    data, judge = build_dataset(tmp_path / "data"), build_judge(tmp_path / "judge")
    trials = deal(parse_sweep(SWEEP), "compact", {}, 0, 1, gan_recipe)
    Studio.limit = 3
    with pytest.raises(KeyboardInterrupt):
        train_gan_points.run(data.path, judge.path, tmp_path / "1", trials, (0, 1))
    Studio.limit = -1
    made = train_gan_points.run(data.path, judge.path, tmp_path / "2", trials, (0, 1))
    assert len(calls) == len(set(calls)) == 8
    kept = {name.split("/")[1] for name in made.manifest.files if name.endswith("generator.keras")}
    assert kept == {"balance=x2"}  # balance=x8 draws better, but fails


@pytest.mark.parametrize("preset", catalog.presets("gan_tuning"))
def test_presets_can_be_built(preset: str) -> None:
    values = parameters.Wanted("gan_tuning", preset).values()
    points = expand(parse_sweep(values["sweep"]))
    for point in points:
        settings = settings_of(point, values["gan"], values["gan_settings"], gan_recipe)
        assert isinstance(settings, GanSettings)
        assert settings.architecture in discriminators.DISCRIMINATORS
        assert settings.discriminator in ("", *discriminators.DISCRIMINATORS)


def test_filter_size_and_pairs_reach_the_networks() -> None:
    def sides(settings):
        layers = gan.build(settings, DRAWING, classes=3, seed=0).discriminator.layers
        return {layer.kernel_size for layer in layers if hasattr(layer, "kernel_size")}

    base = replace_settings(GanSettings(), precision="float32")
    assert sides(base) == {(4, 4), (3, 3)}
    assert sides(replace_settings(base, filter_size=5)) == {(5, 5)}
    pair = replace_settings(base, discriminator="resnet", filter_size=5)
    assert sides(pair) == {(5, 5), (1, 1)}  # shortcuts stay what they are


def replace_settings(settings, **changes):
    return settings.model_copy(update=changes)


def test_findings_about_generators_are_refused() -> None:
    sweep = {**SWEEP, "findings": [{"claim": "x", "point": "balance=x2", "expected": "higher"}]}
    values = parameters.Wanted("gan_tuning", "smoke").values() | {"sweep": sweep}
    with pytest.raises(InputError, match="Findings are about classifiers"):
        Study(values).check()
