"""A study of colour photos whose classes are unequal: its metric in results, words and pages."""

import builders
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import f1_score, precision_recall_fscore_support, recall_score

from augstudy.core import artifacts
from augstudy.core.files import write_json
from augstudy.data.dataset import Split, save_spec, save_split
from augstudy.pages import answers, kfp_metrics
from augstudy.results import files
from augstudy.runs.record import build
from augstudy.settings.spec import ImageSpec
from augstudy.steps import summarize

CLASSES = ("cat", "dog", "$owl$")
COUNTS = {"train": (12, 8, 3), "extra": (0, 0, 0), "val": (6, 5, 2), "test": (90, 60, 12)}
SPEC = ImageSpec(24, 32, 3)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    with artifacts.publish(folder / "dataset", "dataset", config={"source": "photos"}) as draft:
        for name, counts in COUNTS.items():
            labels = np.repeat(np.arange(3, dtype=np.int32), counts)
            images = generator.integers(0, 256, (len(labels), *SPEC.stored)).astype(np.uint8)
            save_split(draft, name, Split(images, labels, np.arange(len(labels))))
        save_spec(draft, SPEC)
        write_json(draft / "classes.json", list(CLASSES))
        histogram = {"edges": [0, 0.5, 1], "counts": [2, 3]}
        about = {"classes": {"cat": {"unreadable": [["cat/a<b.jpg", "it is empty"]]}}}
        about |= {"total": {"unreadable": 1}, "left_out": {"files that are no images": 2}}
        about["near_copies"] = {"pairs": 2, "images": 3, "of_two_classes": 1, "shown": []}
        Image.new("RGB", (60, 40), "red").save(draft / "near_copies.png")
        about["sizes"] = {"smallest": [20, 32], "median": [480, 640], "largest": [900, 900]}
        write_json(draft / "data_report.json", {**about, "brightness": histogram})
    dataset = artifacts.read(folder / "dataset", "dataset")
    arms = [("real", None, -0.6), ("classic", None, 0.8), ("add", 1.0, 0.2)]
    made = [
        builders.build_evaluation(folder / arm, dataset, arm, share, skill=skill)
        for arm, share, skill in arms
    ]
    maps = builders.build_cam(folder / "cam", dataset, "real")
    return {
        "dataset": dataset.path,
        "evaluations": [item.path for item in made],
        "cams": [maps.path],
        "study": {"name": "photos"},
    }


@pytest.fixture(scope="module")
def report(parts, tmp_path_factory):
    return summarize.run(out=tmp_path_factory.mktemp("out") / "report", **parts)


def predicted(evaluation):
    with np.load(evaluation / "predictions.npz", allow_pickle=False) as stored:
        return stored["probabilities"].argmax(axis=-1), stored["labels"]


def balanced(evaluation):
    seen, labels = predicted(evaluation)
    return np.mean([recall_score(labels, row, average="macro") for row in seen])


def test_every_figure_is_about_balanced_accuracy(parts, report):
    found = files.read_summary(report.path)
    real, classic, add = (balanced(path) for path in parts["evaluations"])
    assert found.metric == "balanced_accuracy"
    assert found.score("real").value == pytest.approx(real)
    assert found.differences["add:1"].mean == pytest.approx(add - real)
    assert found.differences["classic"].metric == "balanced_accuracy"
    assert found.label_noise.arms["classic"].all == pytest.approx(classic)
    assert found.data.level == 12
    plain = found.arms["add:1"].accuracy.value - found.arms["real"].accuracy.value
    assert abs(plain - (add - real)) > 1e-3


def test_scores_of_classes_are_what_scikit_learn_computes(parts, report):
    found, path = files.read_summary(report.path), parts["evaluations"][0]
    seen, labels = predicted(path)
    by_seed = [precision_recall_fscore_support(labels, row)[:3] for row in seen]
    precision, recall, f1 = np.mean(by_seed, axis=0)
    at = int(recall.argmin())
    worst = found.arms["real"].worst
    assert worst.label == CLASSES[at]
    assert (worst.precision.value, worst.recall.value, worst.f1.value) == pytest.approx(
        (precision[at], recall[at], f1[at])
    )
    macro = np.mean([f1_score(labels, row, average="macro") for row in seen])
    assert found.arms["real"].metrics["f1_macro"].value == pytest.approx(macro)


def test_words_name_the_metric_and_the_worst_class(report):
    found = files.read_summary(report.path)
    said = answers.answer(found)
    assert " balanced accuracy from " in said.sentence
    verdict = report.file("verdict.md").read_text()
    assert "Balanced accuracy, %" in verdict and "Worst class, recall" in verdict
    shown = kfp_metrics.scalars(found)
    assert shown["10 metric"] == "balanced accuracy"
    record = build({"id": 1}, found)
    assert {arm["metric"] for arm in record["arms"]} == {"balanced_accuracy"}
    page = report.file("report.html").read_text()
    assert "Balanced accuracy of each arm" in page and "counts alike" in page
    assert "has only 12 test images, but counts as much" in page
    assert f"{found.arms['real'].worst.label} " in page and ">Worst class</th>" in page


def test_photos_are_shown_in_colour_and_are_no_drawings(report):
    page = report.file("report.html").read_text()
    assert "Brightness by class" in page and "drawing" not in page
    strips = page[page.index("Training images</h3>") :]
    assert "20 x 32 to 900 x 900 pixels, 480 x 640 usually; here they are 24 x 32." in page
    assert "1 file could not be read and was left out: cat/a&lt;b.jpg: it is empty." in page
    assert "3 images are near copies of others (2 pairs)" in page
    assert "1 pair is of two classes" in page and "Pairs of near copies" in page
    assert "Left out: 2 files that are no images." in page
    assert "data:image/webp" in strips[: strips.index("</table>")]


def test_accuracy_can_be_asked_for(parts, tmp_path):
    asked = summarize.run(out=tmp_path / "report", **parts, metric="accuracy")
    found = files.read_summary(asked.path)
    assert found.metric == "accuracy"
    change = found.arms["add:1"].accuracy.value - found.arms["real"].accuracy.value
    assert found.differences["add:1"].mean == pytest.approx(change)
    assert "alanced accuracy" not in asked.file("verdict.md").read_text()
