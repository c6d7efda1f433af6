import base64
import io
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from found import arm, difference, paired, study
from matplotlib.collections import LineCollection
from PIL import Image

from augstudy.explain.sheet import draw_sheet
from augstudy.metrics import scores
from augstudy.metrics.figures import FIGURES
from augstudy.pages import answers, arms, readings, style, wording
from augstudy.pages.figures import confusion, curves, gan, pictures
from augstudy.pages.figures.arms import Row, _span, whiskers
from augstudy.pages.gallery import flat_rows
from augstudy.pages.stability import SIGNALS
from augstudy.results import study as results
from augstudy.runs.record import FIELDS
from augstudy.settings.arms import KINDS
from augstudy.settings.spec import DRAWING, ImageSpec
from augstudy.training.stability import LIMITS


def decoded(uri):
    return base64.b64decode(uri.split(",", 1)[1])


class Seen(NamedTuple):
    """An arm as figures ask for its colour."""

    arm: str
    share: float | None = None
    name: str | None = None


def test_an_arm_keeps_its_colour_and_shares_differ():
    assert style.colour("add", 1.0) == style.colour("add", 1.0) != style.colour("add", 0.3)
    kinds = ("real", "classic", "replace", "add", "add_filtered", "mislabelled", "extra_real")
    assert len({style.colour(kind) for kind in kinds}) == len(kinds)
    assert style.colour("something new").startswith("#")


def test_arms_of_two_runs_are_told_apart_and_otherwise_keep_their_colours():
    made = [Seen("add", 1.0), Seen("real"), Seen("add", 1.0), Seen("real"), Seen("add", 0.3)]
    found = style.told_apart(made)
    assert len(set(found)) == len(found)
    for place in (0, 1, 4):
        assert found[place] == style.colour_of(made[place])
    many = style.told_apart([Seen("kernel", name=f"kernel={size}") for size in range(16)])
    assert len(set(many)) == 16


def test_what_has_no_words_gets_a_title_and_a_colour():
    for name in ("dreamt", "drawn_by_hand"):
        assert wording.title(name, None) == name and style.colour(name).startswith("#")
        assert wording.subject(name, 0.3) == f"Arm {name} 30 %"
    assert style.colour("dreamt") == style.colour("dreamt") != style.colour("drawn_by_hand")
    assert readings.score("top_5").title == readings.figure("top_5").title == "Top 5"
    assert readings.field("top_5").title == "Top 5"


def test_every_arm_score_figure_and_column_has_words():
    assert set(KINDS) == set(arms.WORDS)
    assert {name for name, kind in KINDS.items() if kind.control} == {
        name for name, words in arms.WORDS.items() if words.control
    }
    assert set(scores.SCORES) == set(readings.SCORES)
    assert set(FIGURES) == set(readings.FIGURES)
    assert all(readings.field(name).text for name in FIELDS)
    assert set(SIGNALS) == {limit.signal for limit in LIMITS}


def test_figures_are_repeatable_and_leave_no_global_state():
    before = dict(mpl.rcParams)
    rows = [Row("Real", "#3d4855", 70.0, 68.0, 72.0, [69.0, 71.0], "70 %")]
    first = whiskers(rows, 70, "real", "Accuracy")
    assert first == whiskers(rows, 70, "real", "Accuracy")
    assert dict(mpl.rcParams) == before
    text = decoded(first).decode()
    assert text.startswith("<svg") and ">70 %</text>" in text


def test_curves_of_a_generator_without_discriminator():
    history = pd.DataFrame({"step": [25, 50], "shape_loss": [0.4, 0.3], "stroke_loss": [0.6, 0.5]})
    text = decoded(gan.over_steps(history, gan.LOSSES, percent=False)).decode()
    assert ">much noise<" in text and ">discriminator<" not in text
    assert gan.over_steps(history, gan.ACCURACIES, percent=True) is None


def test_one_point_is_drawn_although_it_makes_no_line():
    with style.figure(2, 2) as chart:
        axes = chart.subplots()
        for count in (1, 2):
            style.line(axes, range(count), range(count), color="k")
        assert [item.get_marker() for item in axes.lines] == ["o", "none"]
    scores = pd.DataFrame({"step": [1], "score": [4.0]})
    text = decoded(gan.over_steps(scores, gan.SCORE, percent=False)).decode()
    assert ">distance</text>" in text


def test_row_shares():
    shares = confusion.row_shares(np.array([[3.0, 1.0], [0.0, 0.0]]))
    assert shares.tolist() == [[75.0, 25.0], [0.0, 0.0]]


PHOTO = ImageSpec(32, 32, 3)
WIDE = ImageSpec(48, 64, 3)
GREY = ImageSpec(16, 8, 1)


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(decoded(uri))).convert("RGB"), int)


def test_strip_is_dark_ink_on_white_and_keeps_its_width():
    uri = pictures.strip(np.full((2, 28, 28), 255, np.uint8), 5, DRAWING)
    assert uri.startswith("data:image/png;base64,")
    shown = pixels(uri)
    assert shown.shape == (32, 5 * 32, 3)
    assert (shown[2:-2, 2:30] == 0).all() and (shown[:, 64:] == 255).all()
    assert pixels(pictures.strip(np.zeros((0, 28, 28), np.uint8), 5, DRAWING)).min() == 255


@pytest.mark.parametrize(
    "spec", [PHOTO, WIDE, GREY, ImageSpec(128, 100, 3), ImageSpec(8, 8, 1, 255)]
)
def test_photos_are_shown_as_they_are(spec):
    images = np.zeros((2, *spec.stored), np.uint8)
    images[0], images[1] = (200, 40, 40) if spec.channels == 3 else 90, 250
    shown = pixels(pictures.strip(images, 3, spec))
    high, wide = shown.shape[0] - 4, shown.shape[1] // 3 - 4
    assert max(high, wide) == min(64, max(spec.plane))
    assert wide / high == pytest.approx(spec.width / spec.height, rel=0.05)
    middles = [shown[2 + high // 2, 2 + wide // 2 + place * (wide + 4)] for place in range(3)]
    expected = [images[0, 0, 0], images[1, 0, 0], 255]
    for middle, colour in zip(middles, expected, strict=True):
        assert np.abs(middle - colour).max() < 12  # WebP
    rows = pixels(pictures.sheet(np.stack([images, images, images]), spec))
    assert rows.shape == (3 * (high + 4), 2 * (wide + 4), 3)


def test_heat_tile_is_a_small_picture():
    image = np.zeros((28, 28), np.uint8)
    tile = pictures.heat_tile(image, np.ones((28, 28), np.float16), DRAWING)
    assert tile.startswith("data:image/webp;base64,") and len(tile) < 4000
    assert pixels(tile).shape == (96, 96, 3)


@pytest.mark.parametrize("spec", [PHOTO, WIDE, GREY])
def test_a_photo_is_seen_where_it_is_cold_and_warm_where_it_is_hot(spec):
    image = np.full(spec.stored, 60, np.uint8)
    heat = np.zeros(spec.plane, np.float16)
    heat[:, spec.width // 2 :] = 1
    tile = pixels(pictures.heat_tile(image, heat, spec))
    assert max(tile.shape[:2]) == 96
    middle, edge = tile.shape[0] // 2, max(2, tile.shape[1] // 8)
    assert np.abs(tile[middle, edge] - 60).max() < 12
    red, green, blue = tile[middle, -edge]
    assert red > 120 > max(green, blue)


def test_a_sheet_shows_colours_and_any_name(tmp_path):
    rows = [
        [np.full(WIDE.stored, (20, 160, 60), np.uint8), None],
        [np.zeros(WIDE.stored, np.uint8)],
    ]
    draw_sheet(tmp_path / "sheet.png", rows, ["$x$", "cow $"], "Kept", WIDE)
    shown = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"), int)
    assert (np.abs(shown - (20, 160, 60)).max(axis=-1) == 0).mean() > 0.05
    assert shown[0, 0].tolist() == [255, 255, 255]


def test_names_with_dollars_are_no_formulas():
    names = ["$\\frac$", "a$b$"]
    drawn = decoded(confusion.matrix(confusion.row_shares(np.eye(2)), names)).decode()
    assert "frac" in drawn and "a$b$" in drawn


def test_labels_of_ticks_are_no_formulas_either():
    history = pd.DataFrame({"seed": 0, "epoch": [1, 2, 3], "learning_rate": [3e-6, 2e-6, 1e-6]})
    drawn = decoded(curves.learning_rates([("Real images only", style.INK, history)])).decode()
    assert "mathdefault" not in drawn and "2e\N{MINUS SIGN}06" in drawn


@pytest.mark.parametrize(
    ("arm", "share", "text"),
    [
        ("real", None, "Real images only"),
        ("add", 1.0, "100 % synthetic added"),
        ("replace", 0.3, "30 % replaced by synthetic"),
        ("new_arm", 0.125, "new_arm 12.5 %"),
    ],
)
def test_titles(arm, share, text):
    assert wording.title(arm, share) == text


def headline(verdicts, kind="add"):
    arms, differences = {"real": arm()}, {}
    for place, (verdict, mean) in enumerate(verdicts):
        label = f"a{place}"
        arms[label] = arm(kind, 1.0)
        found = difference(paired(mean, mean - 0.01, mean + 0.01), arm=label)
        differences[label] = found.model_copy(update={"verdict": verdict})
    best = results.headline(arms, differences)
    found = study(arms, differences, best.arm)
    assert found.headline == best
    return best, answers.answer(found)


def test_headlines():
    assert headline([("helps", 0.02)])[1].answer == "Yes, synthetic images help."
    assert headline([("hurts", -0.02)])[1].answer == "No, synthetic images hurt."
    assert headline([("no difference", 0.0)])[1].answer == "No difference larger than 1 point."
    assert headline([("can't tell yet", 0.0)])[1].answer == "Can't tell yet."
    best, said = headline([("hurts", -0.02), ("helps", 0.02)])
    assert best.arm == "a1" and said.sentence.startswith("Best of 2 synthetic arms: adding")
    best, _ = headline([("can't tell yet", 0.03), ("helps", 0.02)])
    assert (best.arm, best.verdict) == ("a1", "helps")
    assert headline([("hurts", -0.2)], "mislabelled")[0].arm is None
    assert headline([])[1].answer == "Baseline"


def test_nested_settings_become_rows():
    rows = flat_rows({"gan": {"steps": 5}, "arms": [{"arm": "add", "share": 1.0}], "x": [1, 2.5]})
    assert rows == [("gan · steps", "5"), ("arms", "arm add share 1"), ("x", "1, 2.5")]


@pytest.mark.parametrize("count", [1, 3, 14])
def test_the_reference_line_crosses_no_name_of_an_arm(monkeypatch, count):
    drawn = []
    monkeypatch.setattr(style, "svg_uri", lambda chart: drawn.append(chart) or "")
    title = "Half of the real images replaced by synthetic ones"
    rows = [Row(title, "#123456", 0.5, -2, 2, [0.0, 1.0], "+0.5")] * count
    whiskers(rows, 0, "real", "Accuracy minus that of real")
    (chart,) = drawn
    chart.draw_without_rendering()
    (axes,) = chart.axes
    names = [text.get_window_extent() for text in axes.texts if text.get_text() == title]
    (lines,) = (item for item in axes.collections if isinstance(item, LineCollection))
    ends = [axes.transData.transform(segment) for segment in lines.get_segments()]
    assert len(names) == count and len(ends) == count + 1
    assert not any(
        name.y0 < high and low < name.y1 for name in names for (_, low), (_, high) in ends
    )


@pytest.mark.parametrize("shift", [-30, -3, 0, 4])
def test_values_at_the_end_of_a_row_stand_clear_of_the_reference(shift: float) -> None:
    row = Row("add:1", "#000", shift, shift - 2, shift + 2, [shift - 1, shift + 1], "+1.0")
    low, high = _span([row], 0.0, 1.0)
    assert low < shift - 2 < shift + 2 < high
    assert (1.0 - low) / (high - low) < 0.85
