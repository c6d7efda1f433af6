"""Comparisons: the report's own numbers, and pairs only where there is one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from recorded import add, build_run

from augstudy.cli.app import invoke
from augstudy.core import artifacts
from augstudy.core.errors import DataError, InputError
from augstudy.objects import open_store
from augstudy.objects.address import Address
from augstudy.pages.comparison_page import margin_note, page
from augstudy.results import files
from augstudy.results.parts import Compared
from augstudy.runs.bucket import Bucket
from augstudy.runs.compare import Comparison, compare
from augstudy.runs.folder import RunsFolder
from augstudy.runs.shelf import of_store
from augstudy.settings.arms import Arm

ARMS = (("real", None, 0.0), ("replace", 0.5, -1.0), ("add", 1.0, 2.0))
TWO = ARMS[::2]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies on the same test images, one on others, one that has found nothing."""
    folder = tmp_path_factory.mktemp("runs")
    build_run(folder, ARMS)
    better = (("real", None, 0.9), ("add", 1.0, 2.0))
    build_run(folder, better, seeds=(1, 2, 3), settings={"classifier": "baseline"})
    build_run(folder, TWO, val=5)
    add(folder)
    return folder


def compared(runs: Path, *names: str) -> Comparison:
    book = RunsFolder(runs)
    return compare(book.records(), of_store(book.store), names)


def test_the_interval_is_that_of_the_report(runs: Path) -> None:
    said = json.loads((runs / "0001" / "summary.json").read_text())["differences"]
    (one,) = compared(runs, "1:real", "1:add:1").differences
    both = compared(runs, "1").differences
    assert one.found is not None
    for found in (one, *both):
        reported = said[found.label.removeprefix("1:")]
        assert found.found is not None
        assert (found.found.mean, found.found.low, found.found.high, found.found.p) == (
            reported["mean"],
            reported["low"],
            reported["high"],
            reported["p"],
        )
    # So is the correction for the number of comparisons, of which the report makes two.
    for found in (one, *both):
        reported = said[found.label.removeprefix("1:")]
        assert (found.found.p_holm, found.found.comparisons) == (reported["p_holm"], 2)
        assert found.found.verdict == reported["verdict"]
    assert (one.found.verdict, both[0].found.verdict) == ("helps", "hurts")
    (turned,) = compared(runs, "1:add:1", "1:real").differences
    assert turned.found == one.found.mirrored and turned.found.verdict == "hurts"


def test_two_runs_are_paired_by_their_common_seeds(runs: Path) -> None:
    (found,) = compared(runs, "2:real", "1:real").differences
    assert found.found is not None and found.found.seeds == 2
    correct = []
    for number in (1, 2):
        path = next((runs / f"000{number}").rglob("evaluations/real"))
        with np.load(path / "predictions.npz") as stored:
            keep = np.isin(stored["seeds"], (1, 2))
            correct.append((stored["probabilities"].argmax(-1) == stored["labels"])[keep])
    assert found.found.mean == pytest.approx(correct[0].mean() - correct[1].mean())
    assert found.found.low < found.found.mean < found.found.high


@pytest.mark.parametrize("margin", [0.5, 0.001])
def test_the_margin_is_that_of_the_report(tmp_path: Path, margin: float, capsys) -> None:
    """Arms of 1.5 points more: no difference that matters to one, and unclear to the other."""
    build_run(tmp_path, (("real", None, 0.0), ("add", 1.0, 0.1)), margin=margin)
    build_run(tmp_path, (("real", None, 0.05), ("add", 1.0, 0.1)), margin=margin)
    word = "no difference" if margin == 0.5 else "can't tell yet"
    (said,) = files.read_summary(tmp_path / "0001").differences.values()
    assert said.verdict == word
    for names in (("1:real", "1:add"), ("1:real", "2:real")):
        (found,) = compared(tmp_path, *names).differences
        assert found.found.verdict == word
    assert invoke(["compare", "1", "--runs-dir", str(tmp_path), "--html", str(tmp_path / "p")]) == 0
    out = capsys.readouterr().out
    assert word in out and f"smaller than {100 * margin:g} point" in out


def test_an_old_report_is_taken_at_its_word(tmp_path: Path) -> None:
    """Whatever its evaluations say, the verdict is that of summary.json of version 1."""
    old = Path(__file__).parents[1] / "data" / "version1" / "study"
    folder = build_run(tmp_path, ARMS[:2])
    report = next(folder.rglob("summarize/report"))
    with artifacts.publish(report, "report") as draft:
        shutil.copyfile(old / "summary.json", draft / "summary.json")
    (found,) = compared(tmp_path, "1:real", "1:replace").differences
    said = json.loads((old / "summary.json").read_text())["differences"]["replace_50"]
    known = {name: said[name] for name in Compared.model_fields if name in said}
    assert found.found == Compared(**known)


def test_arms_of_before_are_found_by_both_spellings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Artifacts and index of before say ``add_100``; what is typed may, too."""
    with monkeypatch.context() as before:
        old = property(lambda arm: f"{arm.arm}_{100 * arm.share:g}" if arm.share else arm.arm)
        before.setattr(Arm, "label", old)
        folder = build_run(tmp_path, TWO)
    kept = [path for path in folder.rglob("arm.json") if '"add_100"' in path.read_text()]
    assert kept and RunsFolder(tmp_path).records()
    index = tmp_path / "index.jsonl"
    index.write_text(index.read_text().replace("add:1", "add_100"))
    for typed in ("1:add:1", "1:add_100", "1:add", "0001:add:1"):
        found = compared(tmp_path, "1:real", typed)
        assert [item.label for item in found.contestants] == ["1:real", "1:add:1"]
    assert [arm["arm"] for arm in RunsFolder(tmp_path).records()[0]["arms"]] == ["real", "add:1"]


def test_where_margins_differ_the_one_that_is_used_is_named(tmp_path: Path) -> None:
    build_run(tmp_path, TWO, margin=0.5)
    build_run(tmp_path, TWO, margin=0.02)
    said = margin_note(compared(tmp_path, "1:real", "2:real"))
    assert "(2:real: 2 points)" in said and said.endswith("that of 1:real: 50 points.")
    assert said in page(compared(tmp_path, "1:real", "2:real"))


def test_settings_that_differ(runs: Path) -> None:
    settings = dict(compared(runs, "1:real", "2:real").settings)
    assert settings["classifier"] == ["modern", "baseline"]
    assert "level" not in settings and "arms" not in settings
    assert compared(runs, "1:real", "1:add").settings == []


def test_no_pair_on_other_test_images(runs: Path, tmp_path: Path) -> None:
    (found,) = compared(runs, "1:real", "3:real").differences
    assert found.found is None and found.unlike == "other test images"
    assert "no pair: other test images" in page(compared(runs, "1:real", "3:real"))


def test_equal_test_images_are_a_pair_at_two_levels(tmp_path: Path) -> None:
    """The datasets differ but for their test images, as in studies at two levels."""
    for _ in range(2):
        build_run(tmp_path, TWO)
    for dataset in (tmp_path / "0002").rglob("dataset"):
        with artifacts.publish(dataset.with_name("other"), "dataset") as draft:
            for name in artifacts.read(dataset).manifest.files:
                shutil.copyfile(dataset / name, draft / name)
            (draft / "classes.json").write_text('["a", "b"]')
        other = artifacts.read(dataset.with_name("other"))
        for evaluation in (tmp_path / "0002").rglob("evaluations/*"):
            manifest = json.loads((evaluation / "manifest.json").read_text())
            manifest["inputs"]["dataset"] = other.content_hash
            (evaluation / "manifest.json").write_text(json.dumps(manifest))
    (found,) = compared(tmp_path, "1:real", "2:add").differences
    assert found.found is not None
    for gone in (next((tmp_path / "0002").rglob("other")), *tmp_path.rglob("dataset")):
        shutil.rmtree(gone)  # then nobody can tell whether the images are the same
        (found,) = compared(tmp_path, "1:real", "2:add").differences
        assert found.unlike == "other test images"


def test_no_pair_without_a_common_seed(tmp_path: Path) -> None:
    build_run(tmp_path, TWO, seeds=(0, 1))
    build_run(tmp_path, TWO, seeds=(2, 3))
    (found,) = compared(tmp_path, "1:real", "2:real").differences
    assert found.unlike == "no seed in common"


def test_the_page_and_the_table(runs: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = tmp_path / "page.html"
    arguments = ["compare", "1:real", "1:add", "2:real", "--runs-dir", str(runs)]
    assert invoke([*arguments, "--html", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1:add:1" in said and "better" in said and "baseline" in said
    text = out.read_text()
    assert "http" not in text.replace("http://www.w3.org", "") and "<script" not in text
    for part in ("Results", "Settings that differ", "How they trained", "Where each looks"):
        assert part in text
    assert text.count("data:image/webp") > 10  # heat maps of the same drawings
    assert "minus 1:real" in text


def test_a_bucket_gives_the_same(runs: Path, tmp_path: Path) -> None:
    """As the launcher of a cluster lays artifacts down, read as from a bucket."""
    store = open_store(f"file://{tmp_path}")
    arms = [f"evaluations/{arm}" for arm in ("real", "replace:0.5", "add:1")]
    for part in (*arms, "dataset", "cams/real"):
        (source,) = (runs / "0001" / "artifacts").glob(f"study/{part}")
        store.upload(source, f"study/ab12/task/{part.replace('/', '-')}/{source.parent.name}")
    report = next((runs / "0001").rglob("summarize/report"))
    store.upload(report, "study/ab12/summarize/1/report")
    monkeyed = type("Remote", (type(store),), {"local": lambda self, key: None})
    remote = monkeyed(Address.parse(f"file://{tmp_path}"))
    Bucket(remote).rebuild()
    found = compare(Bucket(remote).records(), of_store(remote), ["1:real", "1:add"])
    assert found.differences[0].found == compared(runs, "1:real", "1:add").differences[0].found


def test_an_altered_evaluation_is_refused(tmp_path: Path) -> None:
    build_run(tmp_path, TWO)
    damaged = next(tmp_path.rglob("evaluations/real")) / "metrics.json"
    damaged.write_text(damaged.read_text().replace("0.", "1.", 1))
    with pytest.raises(DataError, match=r"metrics\.json differs"):
        page(compared(tmp_path, "1"))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["1:real"], "Two to 8 arms can be compared, not 1"),
        (["1:real", "1:real"], "not 1"),
        (["1", "2", "3", "1:add", "9"], "no run '9'"),
        (["1:real", "1:classic"], "no single arm 'classic'; its arms: real, replace:0.5, add:1"),
        (["1:real", "4"], "Run 4 has no results: it is running"),
    ],
)
def test_mistakes(runs: Path, names: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        compared(runs, *names)
