import base64
import json
import math
import re
import subprocess
import sys

import builders
import pytest
from studies import build_study

from augstudy.core import artifacts, cache
from augstudy.core.errors import InputError
from augstudy.metrics.figures import FIGURES
from augstudy.pages import answers, kfp_metrics, readings, wording
from augstudy.results import files
from augstudy.steps import summarize

CLASSES = ("cow", "lion", "zebra")
ARMS = (("real", None, 0.0), ("add", 1.0, 0.8), ("mislabelled", 0.3, -1.5))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return build_study(folder, ARMS, classes=CLASSES, test=40)


@pytest.fixture(scope="module")
def report(study, tmp_path_factory):
    return summarize.run(out=tmp_path_factory.mktemp("out") / "report", **study)


def only(study, **changes):
    return {**study, "cams": (), "made": {}, **changes}


def test_summary_holds_arms_differences_and_settings(study, report):
    summary = report.json("summary.json")
    assert list(summary["arms"]) == ["real", "add:1", "mislabelled:0.3"]
    assert set(summary["differences"]) == {"add:1", "mislabelled:0.3"}
    assert summary["data"]["level"] == 8
    assert summary["data"]["images"] == {"train": 24, "val": 12, "test": 120}
    assert summary["data"]["hash"] == artifacts.read(study["dataset"], "dataset").content_hash
    assert summary["seeds"] == [0, 1, 2] and summary["study"]["name"] == "low_data"
    assert summary["sets"]["compact"]["stability"]["verdict"] == "stable"
    found = summary["differences"]["add:1"]
    accuracy = {
        label: arm["metrics"]["accuracy"]["value"] for label, arm in summary["arms"].items()
    }
    assert found["mean"] == pytest.approx(accuracy["add:1"] - accuracy["real"])
    assert found["low"] <= found["mean"] <= found["high"] and found["p_holm"] >= found["p"]


def test_headline_is_about_synthetic_images_and_never_a_control(report):
    head = report.json("summary.json")["headline"]
    assert head["arm"] == "add:1"
    assert "\nAdding 100 % synthetic images" in report.file("verdict.md").read_text()


def test_the_dashboard_reads_as_an_answer_from_the_top(report):
    found = files.read_summary(report.path)
    shown = kfp_metrics.scalars(found)
    assert list(shown) == sorted(shown)  # as the dashboard sorts rows that all columns have
    assert len(shown) <= kfp_metrics.MOST_SCALARS
    assert len({name[:22] for name in shown}) == len(shown)  # longer names are cut
    said = answers.answer(found)
    assert list(shown.items())[:2] == [("01 answer", said.answer), ("02 why", said.sentence)]
    best = found.differences[found.headline.arm]
    assert shown["04 gain, points"] == float(f"{100 * best.mean:.4g}")
    assert shown["10 metric"] == "accuracy"
    for label in found.arms:
        assert shown[f"20 {label}, %"] == pytest.approx(100 * found.score(label).value, rel=1e-3)
    assert best.verdict in shown["31 verdict on add:1"]
    numbers = [value for value in shown.values() if not isinstance(value, str)]
    assert all(math.isfinite(value) and value == float(f"{value:.4g}") for value in numbers)
    first = kfp_metrics.scalars(found, most=9)
    assert list(first) == list(shown)[:9]


def test_figures_of_the_synthetic_images_are_shown_with_what_real_ones_get(report):
    summary = report.json("summary.json")
    metrics = summary["sets"]["compact"]["quality"]["metrics"]
    shown = kfp_metrics.scalars(files.read_summary(report.path))
    assert {name for name in shown if name.startswith("51 synthetic")} == {
        f"51 synthetic, {readings.figure(name).title}" for name in metrics
    }
    share = metrics["coverage"]["value"]
    assert shown["51 synthetic, Coverage"] == pytest.approx(share, rel=1e-3)
    page = (report.path / "report.html").read_text()
    for name in FIGURES:
        assert re.search(rf"<td>{re.escape(readings.figure(name).title)}</td>", page), name
    own = next(iter(summary["sets"]["compact"]["quality"]["per_class"].values()))
    table = page[page.index("Every figure of every class") :]
    table = table[: table.index("</table>")]
    assert table.count('<th class="num">') == len(own)
    assert f"{100 * own['gan_test']['value']:.1f}\N{NO-BREAK SPACE}%" in table
    shown = f"{100 * metrics['coverage']['real']:.1f}"
    assert f'data-label="Real">{shown}\N{NO-BREAK SPACE}%' in page


def test_no_figure_shows_the_markup_of_a_formula(report):
    page = (report.path / "report.html").read_text()
    drawn = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page)
    assert len(drawn) > 5
    for content in drawn:
        texts = re.findall(r"<text[^>]*>([^<]*)<", base64.b64decode(content).decode())
        assert texts and not any("$" in text or "\\math" in text for text in texts)


def test_images_that_nobody_measured_are_no_error(study, tmp_path):
    bare = tmp_path / "synthetic"
    source = artifacts.read(study["made"]["compact"]["images"], "synthetic")
    with artifacts.publish(bare, "synthetic") as draft:
        for name in source.manifest.files:
            (draft / name).write_bytes(source.file(name).read_bytes())
        (draft / "quality.json").write_text('{"n": 30, "metrics": {}, "per_class": {}}')
    report = summarize.run(
        out=tmp_path / "report", **{**study, "made": {"compact": {"images": bare}}}
    )
    page = (report.path / "report.html").read_text()
    assert "How good are they?" not in page and "Synthetic beside real" in page
    shown = kfp_metrics.scalars(files.read_summary(report.path))
    assert not any(name.startswith("51 synthetic") for name in shown)


def test_verdict_is_markdown_with_a_table(report):
    text = (report.path / "verdict.md").read_text()
    assert text.startswith("## ")
    assert "| 100 % synthetic added |" in text and "reference" in text


def test_html_is_small_and_self_contained(report):
    page = (report.path / "report.html").read_text()
    assert len(page.encode()) < 2_000_000
    loads = re.findall(r"(?:src|href|action|data)\s*=\s*[\"']([^\"']{1,30})", page)
    loads += re.findall(r"url\(\s*[\"']?(.{0,30})", page)
    assert loads and all(item.startswith("data:image/") for item in loads)
    assert "<script" not in page and "@import" not in page and "<link" not in page
    for part in ("result", "training", "gan", "classes", "cam", "data", "provenance"):
        assert f'id="{part}"' in page


def test_hostile_names_are_escaped(tmp_path):
    classes = ("<script>alert(1)</script>", 'a" onerror="x', "cow & calf")
    study = build_study(tmp_path, ARMS[:2], classes=classes, test=6)
    study["study"] = {"name": "<img src=x onerror=alert(2)>"}
    report = summarize.run(out=tmp_path / "report", **study)
    page = (report.path / "report.html").read_text()
    assert "<script" not in page and "<img src=x" not in page
    assert not re.search(r'<[a-z][^>]*"\s+onerror', page)
    assert "&lt;script&gt;" in page and "cow &amp; calf" in page


def test_same_inputs_give_the_same_bytes(study, report, tmp_path):
    again = summarize.run(out=tmp_path / "report", **study)
    assert again.content_hash == report.content_hash


def test_order_of_evaluations_does_not_matter(study, report, tmp_path):
    turned = {**study, "evaluations": study["evaluations"][::-1], "cams": study["cams"][::-1]}
    assert summarize.run(out=tmp_path / "report", **turned).content_hash == report.content_hash


def test_a_new_word_is_shown_by_the_next_run(study, report, monkeypatch, tmp_path):
    """Pages are never taken from the cache, which knows nothing of words."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    numbers = (report.path / "summary.json").read_bytes()
    for word in ("Yonder", "Thither"):
        monkeypatch.setattr(wording, "title", lambda *named, word=word: word)
        again = summarize.run(out=tmp_path / "report", **study)
        for name in ("report.html", "verdict.md"):
            assert word in again.file(name).read_text()
        assert again.file("summary.json").read_bytes() == numbers


def test_works_without_gan_and_heat_maps(study, tmp_path):
    dataset = artifacts.read(study["dataset"], "dataset")
    classic = builders.build_evaluation(tmp_path / "classic", dataset, "classic", skill=0.5)
    evaluations = [study["evaluations"][0], classic.path]
    report = summarize.run(out=tmp_path / "report", **only(study, evaluations=evaluations))
    summary = report.json("summary.json")
    assert summary["sets"] == {} and summary["headline"]["arm"] == "classic"
    assert 'id="gan"' not in (report.path / "report.html").read_text()


def test_real_alone_is_a_baseline(study, tmp_path):
    alone = only(study, evaluations=study["evaluations"][:1])
    report = summarize.run(out=tmp_path / "report", **alone)
    summary = report.json("summary.json")
    assert summary["differences"] == {} and summary["headline"]["arm"] is None
    assert report.file("verdict.md").read_text().startswith("## Baseline")


def test_one_seed_says_what_it_does_not_cover(tmp_path):
    study = build_study(tmp_path, ARMS[:2], seeds=(4,), classes=CLASSES, test=20)
    report = summarize.run(out=tmp_path / "report", **study)
    assert "only one seed" in (report.path / "report.html").read_text()


def test_many_classes_stay_small(tmp_path):
    classes = tuple(f"class {index}" for index in range(60))
    study = build_study(tmp_path, ARMS[:2], classes=classes, train=2, val=1, test=2)
    report = summarize.run(out=tmp_path / "report", **study)
    page = (report.path / "report.html").read_text()
    assert len(page.encode()) < 2_000_000
    assert "the 35 classes that real recognises best are not shown" in page


def test_needs_the_arm_real(study, tmp_path):
    with pytest.raises(InputError, match="no evaluation of the arm 'real'"):
        summarize.run(out=tmp_path / "r", **only(study, evaluations=study["evaluations"][1:]))
    assert not (tmp_path / "r").exists()


def test_an_arm_twice_is_refused(study, tmp_path):
    doubled = [*study["evaluations"], study["evaluations"][1]]
    with pytest.raises(InputError, match="'add:1' is evaluated twice"):
        summarize.run(out=tmp_path / "r", **only(study, evaluations=doubled))


def test_other_test_images_are_refused(study, tmp_path):
    other = builders.build_dataset(tmp_path / "other", classes=CLASSES, test=30)
    stranger = builders.build_evaluation(tmp_path / "add", other, "add", 1.0)
    evaluations = [study["evaluations"][0], stranger.path]
    with pytest.raises(InputError, match="evaluated on other test images"):
        summarize.run(out=tmp_path / "r", **only(study, evaluations=evaluations))


def test_other_classes_are_refused(study, tmp_path):
    other = builders.build_dataset(tmp_path / "other", classes=("cow", "lion"), test=30)
    stranger = builders.build_evaluation(tmp_path / "add", other, "add", 1.0)
    evaluations = [study["evaluations"][0], stranger.path]
    with pytest.raises(InputError, match="other classes"):
        summarize.run(out=tmp_path / "r", **only(study, evaluations=evaluations))


def test_only_shared_seeds_are_paired(study, tmp_path):
    dataset = artifacts.read(study["dataset"], "dataset")
    other = builders.build_evaluation(tmp_path / "add", dataset, "add", 0.5, seeds=(2, 1, 9))
    evaluations = [study["evaluations"][0], other.path]
    report = summarize.run(out=tmp_path / "r", **only(study, evaluations=evaluations))
    assert report.json("summary.json")["differences"]["add:0.5"]["seeds"] == 2
    apart = builders.build_evaluation(tmp_path / "replace", dataset, "replace", 0.5, seeds=(8,))
    evaluations = [study["evaluations"][0], apart.path]
    with pytest.raises(InputError, match="shares no seed"):
        summarize.run(out=tmp_path / "s", **only(study, evaluations=evaluations))


def test_the_stage_imports_no_deep_learning():
    code = (
        "import sys, augstudy.steps.summarize;"
        "print([name for name in ('keras', 'tensorflow', 'jax', 'kfp') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_summary_is_strict_json(report):
    text = (report.path / "summary.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(name))


def test_a_study_of_guessers_gives_advice_instead_of_a_verdict(tmp_path):
    arms = (("real", None, -3.0), ("add", 1.0, -3.0), ("classic", None, -3.0))
    built = only(build_study(tmp_path / "study", arms, classes=CLASSES, test=40))
    done = summarize.run(out=tmp_path / "report", **built)
    found = files.summary(done.json("summary.json"))
    assert [arm.learnt for arm in found.arms.values()] == [False] * 3
    for difference in (*found.differences.values(), *found.pairs):
        assert (difference.verdict, difference.needs) == ("at chance", None)
    for name in ("verdict.md", "report.html"):
        text = done.file(name).read_text()
        assert "has learnt nothing" in text and "no better than guessing" in text
        assert "more seeds or" not in text.replace("that more seeds or test", "")
        assert "you can see differences" not in text
