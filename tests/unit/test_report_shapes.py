"""Figures of the report that depend on how many epochs and classes there are."""

import base64
import re

import numpy as np
import pandas as pd
import pytest

from augstudy.pages.figures import confusion, curves


def svg(uri: str) -> str:
    return base64.b64decode(uri.partition(",")[2]).decode()


def history(epochs: int) -> pd.DataFrame:
    rows = range(1, epochs + 1)
    columns = {"accuracy": 0.7, "val_accuracy": 0.6, "loss": 0.5, "val_loss": 0.6}
    return pd.DataFrame({"seed": 0, "epoch": rows, "learning_rate": 0.001, **columns})


def ticks(picture: str) -> list[str]:
    """What the ticks of horizontal axes say, which alone are centred."""
    groups = re.findall(r'<g id="xtick_\d+">(.*?)</g>\s*</g>', picture, re.DOTALL)
    return [text for group in groups for text in re.findall(r"<text[^>]*>([^<]*)</text>", group)]


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 5, 7, 24, 60, 400])
def test_epochs_are_whole_numbers(epochs: int) -> None:
    found = history(epochs)
    limits = curves.shared_limits([found])
    pictures = [
        curves.training(found, "#123456", limits),
        curves.learning_rates([("real", "#123456", found)]),
        curves.overlaid([("real", "#123456", found)], "accuracy", "Accuracy"),
    ]
    for picture in map(svg, pictures):
        said = ticks(picture)
        assert said and all(re.fullmatch(r"\d+", text) for text in said), said
        assert len(said) <= 8 and len(set(said)) == len(said)


def named(count: int, length: int = 6) -> list[str]:
    return [f"{number:03d}".ljust(length, "x") for number in range(count)]


def matrix(classes: list[str]) -> str:
    shares = np.full((len(classes), len(classes)), 1.0) + 50 * np.eye(len(classes))
    return svg(confusion.matrix(shares, classes))


def size(picture: str) -> tuple[float, float]:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture)
    assert found
    return float(found[1]), float(found[2])


@pytest.mark.parametrize(
    ("count", "length"), [(2, 3), (10, 6), (15, 24), (25, 12), (51, 8), (100, 20)]
)
def test_every_class_has_its_name_where_there_is_room(count: int, length: int) -> None:
    classes = named(count, length)
    picture = matrix(classes)
    assert all(picture.count(f">{name}<") == 2 for name in classes)
    assert confusion.thinned(classes) == ""
    points = {float(found) for found in re.findall(r"font-size: ([\d.]+)px", picture)}
    assert min(points) >= 7  # in a picture that is shown as large as it is
    wide, _ = size(picture)
    if count > 15:
        # A name is lower than its row, so that names do not overlap.
        rows = [
            float(y) for y in re.findall(r'text-anchor: end[^>]*" x="[\d.]+" y="([\d.]+)"', picture)
        ]
        assert len(rows) == count
        apart = np.diff(sorted(rows))
        assert apart.min() > 7.5
    assert confusion.large(classes) == (wide > 4.3 * 72 + 1)


def test_few_classes_need_little_room() -> None:
    two, ten = size(matrix(named(2))), size(matrix(named(10)))
    assert two[0] == ten[0]  # as wide as other figures, so that texts are as large
    assert two[1] < 0.7 * ten[1]


def test_names_that_do_not_fit_are_left_out_and_it_says_so() -> None:
    classes = named(345)
    picture = matrix(classes)
    assert confusion.thinned(classes) == ("There is room for the name of every fourth class only.")
    shown = [name for name in classes if f">{name}<" in picture]
    assert shown == classes[::4]
    assert size(picture)[0] < 16 * 72 and len(picture) < 1_000_000


def test_long_names_are_shortened() -> None:
    picture = matrix(["cat", "an extraordinarily long name of a class"])
    assert ">an extraordinarily long\N{HORIZONTAL ELLIPSIS}<" in picture


def test_cells_without_numbers_are_explained_by_their_shade() -> None:
    assert "Numbers" in confusion.cells(named(15)) and "darker" in confusion.cells(named(16))
    assert ">50<" in matrix(named(15)) or ">51<" in matrix(named(15))
    assert ">51<" not in matrix(named(16))
