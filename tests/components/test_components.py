"""Components as plain functions, on real artifacts in temporary folders."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import build_cam, build_classifier, build_dataset, build_evaluation
from kfp.dsl import ClassificationMetrics

from augstudy.core import artifacts
from augstudy.core.errors import InputError
from augstudy.core.telemetry import Stage
from augstudy.data import shares
from augstudy.pages import kfp_metrics
from augstudy.results import files
from augstudy.steps import adapters, cells
from augstudy.steps.study import Study, handed

ARMS = [{"arm": "real"}, {"arm": "classic"}]


class Output(SimpleNamespace):
    """Stands in for an artifact that KFP hands to a component."""

    def __init__(self, path: Path) -> None:
        super().__init__(path=str(path), metadata={})

    def log_metric(self, name: str, value: float) -> None:
        self.metadata[name] = value


def function(name: str) -> Any:
    module = __import__(f"augstudy.dags.components.{name}", fromlist=[name])
    return getattr(module, name).python_func


def test_ingest_takes_floats_for_integers(tmp_path: Path) -> None:
    out = Output(tmp_path / "dataset")
    sizes = {
        "train_per_class": 6.0,
        "val_per_class": 3.0,
        "test_per_class": 3.0,
        "level": 0.0,
        "data_seed": 0.0,
        "test_source": "",
        "image_settings": {"size": 28.0},
    }
    function("ingest")(dataset=out, source="sample", classes=["cow", "zebra"], **sizes)
    dataset = artifacts.read(Path(out.path), "dataset")
    assert dataset.json("classes.json") == ["cow", "zebra"]


def test_bad_settings_end_with_the_code_and_the_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGSTUDY_EVENTS", str(tmp_path / "events"))
    sizes = {
        "train_per_class": 6,
        "val_per_class": 3,
        "test_per_class": 3,
        "level": 60,
        "data_seed": 0,
        "test_source": "",
        "image_settings": {},
    }
    with pytest.raises(SystemExit) as stopped:
        function("ingest")(dataset=Output(tmp_path / "d"), source="sample", classes=["a"], **sizes)
    assert stopped.value.code == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("ingest failed: the data settings: ")
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert [event["event"] for event in events] == ["launch", "error"]
    assert events[1]["exit_code"] == 2
    assert "Traceback" in events[1]["traceback"]


def test_gan_and_judge_are_skipped_when_no_arm_needs_them(tmp_path: Path) -> None:
    judge, gan, synthetic = (Output(tmp_path / name) for name in ("judge", "gan", "synthetic"))
    dataset = Output(tmp_path / "not-even-read")
    function("train_judge")(dataset=dataset, judge=judge, judge_settings={}, arms=ARMS)
    inputs = {"dataset": dataset, "judge": judge, "gan": gan, "arms": ARMS}
    function("train_gan")(**inputs, **GAN)
    sizes = {"synthetic_per_class": 0, "gan_seed": 0, "gan_recipe": "compact", "sets": []}
    sizes |= {"copies": "drop"}
    function("synthesize")(**inputs, synthetic=synthetic, **sizes)
    assert [adapters.given(item.path) for item in (judge, gan, synthetic)] == [None] * 3


def test_summarize_logs_what_the_dashboard_shows(tmp_path: Path) -> None:
    dataset = build_dataset(tmp_path / "dataset")
    items = [
        build_evaluation(tmp_path / arm, dataset, arm, seeds=(0, 1)) for arm in ("real", "classic")
    ]
    maps = build_cam(tmp_path / "cam", dataset, "real")
    adapters.skip(tmp_path / "gathered", Stage("curate", ""))
    names = ("report", "metrics", "page", "verdict")
    outputs = {name: Output(tmp_path / "out" / name) for name in names}
    function("summarize")(
        dataset=Output(dataset.path),
        gathered=Output(tmp_path / "gathered"),
        evaluations=[Output(item.path) for item in items],
        cams=[Output(maps.path)],
        **outputs,
        **STUDY,
    )
    metrics = outputs["metrics"].metadata
    assert {"01 answer", "20 real, %", "30 gain of classic, points"} <= set(metrics)
    assert "<html" in Path(outputs["page"].path).read_text()
    assert Path(outputs["verdict"].path).read_text().startswith("#")
    found = files.summary(Path(outputs["metrics"].path).read_text())
    assert kfp_metrics.scalars(found) == metrics


def test_what_a_cell_shows_in_the_dashboard(tmp_path: Path) -> None:
    dataset = build_dataset(tmp_path / "dataset", train=8, test=6)
    made = build_evaluation(tmp_path / "cell", dataset, "add", share=1.0, seeds=(0, 1))
    shown = cells._for_dashboard(made, dataset.path)
    assert shown["title"] == "add:1, level 8"
    accuracy = made.json("metrics.json")["metrics"]["accuracy"]["value"]
    counts = sum(row[at] for at, row in enumerate(shown["confusion"]))
    assert counts == round(accuracy * 2 * 6 * len(shown["classes"]))
    assert len(shown["roc"]) == 3


def test_retraining_without_a_champion_promotes(tmp_path: Path) -> None:
    dataset = build_dataset(tmp_path / "dataset", ("cow", "zebra"))
    store = f"file://{tmp_path}/store"
    champion, reference = Output(tmp_path / "champion"), Output(tmp_path / "reference")
    function("validate")(
        dataset=Output(dataset.path),
        champion=champion,
        reference=reference,
        store=store,
        max_drift=0.25,
        max_shrink=0.2,
    )
    assert adapters.given(champion.path) is None
    skipped = Output(tmp_path / "skipped")
    nothing = ClassificationMetrics(name="curves", uri=str(tmp_path / "curves"))
    function("evaluate")(
        dataset=dataset,
        classifier=champion,
        evaluation=skipped,
        maps=Output(tmp_path / "maps"),
        curves=nothing,
        label="champion",
    )
    assert adapters.given(skipped.path) is None
    model = build_classifier(tmp_path / "model", dataset)
    evaluation = build_evaluation(tmp_path / "evaluation", dataset, classifier=model)
    outputs = {name: Output(tmp_path / "out" / name) for name in ("decision", "metrics", "verdict")}
    function("promote")(
        reference=reference,
        classifier=Output(model.path),
        challenger=Output(evaluation.path),
        champion=skipped,
        **outputs,
        store=store,
        metric="auto",
        margin=0.005,
    )
    shown = outputs["metrics"].metadata
    assert shown["01 decision"] == "promoted"
    assert shown["02 why"] == "Promoted: there was no champion."
    assert json.loads(Path(outputs["metrics"].path).read_text())["promoted"] is True
    assert Path(outputs["verdict"].path).read_text().startswith("# Promoted\n")
    assert (tmp_path / "store" / "champion.json").is_file()


def run_cell(folder: Path, dataset: Path, arm: dict[str, Any], synthetic: Path) -> dict[str, str]:
    """Train, evaluate and explain an arm that cannot be made; where each step left its note."""
    made = {name: Output(folder / name) for name in ("classifier", "evaluation", "maps")}
    function("train_cnn")(
        dataset=Output(dataset),
        gathered=Output(synthetic),
        classifier=made["classifier"],
        arm=arm,
        seeds=[0.0],
        classifier_recipe="baseline",
        classifier_settings={},
    )
    function("evaluate")(
        dataset=Output(dataset),
        classifier=made["classifier"],
        evaluation=made["evaluation"],
        maps=made["maps"],
        curves=ClassificationMetrics(name="curves", uri=str(folder / "curves")),
    )
    return {name: item.path for name, item in made.items()}


def test_an_arm_that_cannot_be_made_is_left_out_and_the_report_says_why(tmp_path: Path) -> None:
    dataset = build_dataset(tmp_path / "dataset", ("cow", "zebra"), extra=3)
    nothing = tmp_path / "nothing"
    adapters.skip(nothing, Stage("synthesize", ""), "the GAN failed: it drew nothing")
    arms = [
        {"arm": "extra_real", "share": 1.0, "optional": True},
        {"arm": "add", "share": 1.0},
    ]
    cells_made = [run_cell(tmp_path / arm["arm"], dataset.path, arm, nothing) for arm in arms]
    adapters.skip(tmp_path / "gathered", Stage("curate", ""))
    real = build_evaluation(tmp_path / "real", dataset, seeds=(0, 1))
    names = ("report", "metrics", "page", "verdict")
    outputs = {name: Output(tmp_path / "out" / name) for name in names}
    function("summarize")(
        dataset=Output(dataset.path),
        gathered=Output(tmp_path / "gathered"),
        evaluations=[Output(real.path), *(Output(cell["evaluation"]) for cell in cells_made)],
        cams=[Output(cell["maps"]) for cell in cells_made],
        **outputs,
        **STUDY,
    )
    left_out = json.loads(Path(outputs["metrics"].path).read_text())["left_out"]
    assert set(left_out) == {"extra_real:1", "add:1"}
    assert (
        "needs 8 further real images per class, but there are only 3" in (left_out["extra_real:1"])
    )
    assert left_out["add:1"] == "the GAN failed: it drew nothing"
    for text in (Path(outputs[name].path).read_text() for name in ("page", "verdict")):
        assert "Arm add:1 was left out: the GAN failed" in text


def test_an_arm_that_is_not_optional_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = build_dataset(tmp_path / "dataset", ("cow", "zebra"))
    arm = {"arm": "extra_real", "share": 1.0}
    with pytest.raises(SystemExit) as stopped:
        run_cell(tmp_path, dataset.path, arm, tmp_path)
    assert stopped.value.code == 2
    assert "there are only 0: lower the level" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arms", "level", "images"),
    [
        ([{"arm": "real"}], 60, 0),
        ([{"arm": "replace", "share": 0.3}], 60, 18),
        ([{"arm": "replace", "share": 0.3}, {"arm": "add", "share": 1}], 60, 60),
        ([{"arm": "add", "share": 0.25}], 254, 64),
        ([{"arm": "classic_add", "share": 1.5}, {"arm": "extra_real", "share": 3}], 10, 15),
        ([{"arm": "same_steps", "share": 1}, {"arm": "real_filtered"}], 10, 0),
        ([{"arm": "add", "share": 1}, {"arm": "add_filtered", "share": 0.5}], 10, 20),
        ([{"arm": "add", "share": 0.1, "optional": True}, {"arm": "real"}], 4, 0),
        ([{"arm": "add_filtered", "share": 0.1, "optional": True}], 4, 0),
        ([{"arm": "add", "share": 0.1}, {"arm": "replace", "share": 0.5}], 4, 2),
    ],
)
def test_synthetic_images_wanted(arms: list[dict[str, Any]], level: int, images: int) -> None:
    chosen = Study({"arms": arms}).arms
    assert shares.synthetic_wanted(chosen, [level, level]) == ([images] * 2 if images else [])
    for count in shares.synthetic_wanted(chosen, [10 * level, level])[1:]:
        assert count == images or not images  # of a larger class there may be some


def test_a_share_that_is_no_image_trains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = build_dataset(tmp_path / "dataset", ("cow", "zebra"), train=4)
    arm = {"arm": "add", "share": 0.1}
    inputs = {"dataset": Output(dataset.path), "judge_settings": {}}
    with pytest.raises(SystemExit) as stopped:
        function("train_judge")(**inputs, judge=Output(tmp_path / "judge"), arms=[*ARMS, arm])
    assert stopped.value.code == 2
    said = capsys.readouterr().out.splitlines()[-1]
    assert "Arm 'add:0.1' has a share of 0.1, which gives no image at level 4" in said
    arm["optional"] = True
    judge, gan, nothing = (Output(tmp_path / name) for name in ("judge", "gan", "synthetic"))
    function("train_judge")(**inputs, judge=judge, arms=[*ARMS, arm])
    function("train_gan")(dataset=inputs["dataset"], judge=judge, gan=gan, arms=[arm], **GAN)
    assert [adapters.given(item.path) for item in (judge, gan)] == [None] * 2
    adapters.skip(Path(nothing.path), Stage("synthesize", ""))
    left = run_cell(tmp_path / "cell", dataset.path, arm, Path(nothing.path))
    for path in left.values():
        assert adapters.why_skipped(path).startswith("it has a share of 0.1, which gives no image")


def test_settings_are_told_in_one_order() -> None:
    """KFP hands mappings over in any order; the report must not change with it."""
    study = {"b": {"y": 1, "x": [{"d": 1, "c": 2}]}, "a": None}
    other = {"b": {"x": [{"c": 2, "d": 1}], "y": 1}, "a": None}
    told, again = Study(study).record(), Study(other).record()
    assert json.dumps(told["b"]) == json.dumps(again["b"])
    assert told == again == study


def test_what_a_component_hands_over(tmp_path: Path) -> None:
    """Its artifacts are told from its parameters, which get the names of the pipelines."""
    arguments = {
        "gan": Output(tmp_path / "gan"),
        "evaluations": [Output(tmp_path / "one"), Output(tmp_path / "other")],
        "curation": None,
        "adapters": adapters,
        "gan_recipe": "compact",
        "arms": ARMS,
        "seeds": [],
        "level": 0,
    }
    found = handed(arguments)
    assert found.paths == {"gan": tmp_path / "gan"}
    assert found.lists == {"evaluations": [tmp_path / "one", tmp_path / "other"]}
    assert found.study.values == {"gan": "compact", "arms": ARMS, "seeds": [], "level": 0}


@pytest.mark.parametrize(
    ("step", "values"),
    [
        ("train_judge", {"judge_settings": {"classifier": "nobody"}}),
        ("train_gan", {"gan_settings": {"steps": 0}}),
        ("train_gan", {"on_gan_failure": "later"}),
        ("train_gan", {"arms": [{"arm": "real"}, {"arm": "replace", "share": 2}]}),
        ("curate", {"curation_settings": {"folds": 1}}),
        ("curate", {"classifier_settings": {"epochs": "many"}}),
        ("train_cnn", {"seeds": [1, 1]}),
        ("summarize", {"equivalence_margin": 1.5}),
    ],
)
def test_steps_refuse_what_is_refused_before_a_run(
    step: str, values: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cluster can start them without that check; both say the same."""
    study = handed(STUDY).study.values | values
    with pytest.raises(InputError) as refused:
        Study(study).check()
    names = ("dataset", "judge", "gan", "synthetic", "imported", "gathered", "classifier")
    at = {name: tmp_path / name for name in (*names, "report", "page", "verdict", "metrics")}
    lists = {"evaluations": [tmp_path], "cams": [tmp_path]}
    called = getattr(cells if step == "train_cnn" else adapters, step)
    recipes = {f"{name}_recipe": study.pop(name) for name in ("classifier", "gan")}
    with pytest.raises(SystemExit) as stopped:
        called({**study, **recipes, **at, **lists, "arm": {"arm": "real"}})
    assert stopped.value.code == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(step)
    assert last.endswith(f" failed: {refused.value}")


def test_cells_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks' count of threads can be set once a process, so it only is looked at here."""
    monkeypatch.setenv("AUGSTUDY_THREADS", "8")
    monkeypatch.setenv("AUGSTUDY_CELL_THREADS", "4")
    fixed = []
    monkeypatch.setattr(
        "augstudy.models.backend.fix_threads", lambda: fixed.append(os.environ["AUGSTUDY_THREADS"])
    )
    cells.share_cores()
    assert fixed == ["4"]


GAN: dict[str, Any] = {
    "gan_recipe": "compact",
    "gan_settings": {},
    "gan_seed": 0,
    "sets": [],
    "on_gan_failure": "stop",
}
STUDY: dict[str, Any] = {
    "pipeline": "augmentation_study",
    "source": "sample",
    "classes": ["cow", "zebra"],
    "train_per_class": 8,
    "val_per_class": 4,
    "test_per_class": 6,
    "level": 0,
    "data_seed": 0,
    "test_source": "",
    "image_settings": {},
    "arms": ARMS,
    "seeds": [0, 1],
    "classifier_recipe": "modern",
    "classifier_settings": {},
    **GAN,
    "copies": "drop",
    "judge_settings": {},
    "synthetic_per_class": 0,
    "curation_settings": {},
    "metric": "auto",
    "equivalence_margin": 0.01,
}
