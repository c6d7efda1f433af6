"""Rows in groups, the settings to group by, and what charts are given."""

from typing import Any

import pytest

from augstudy.core.errors import InputError
from augstudy.pages import style
from augstudy.runs import grouping
from augstudy.runs.record import Row
from augstudy.ui.points import MOST, points


def row(key: str, arm: str = "real", **values: Any) -> Row:
    usual = {"id": int(key), "kind": arm.partition(":")[0], "share": None, "settings": {}}
    return {"key": key, "arm": arm, **usual, **values}


def values(found: list[grouping.Group]) -> list[Any]:
    return [group.value for group in found]


def test_numbers_come_before_texts_and_nothing_comes_last() -> None:
    levels = (100, None, 25, 3.5, "all", 100)
    rows = [row(str(number), level=level) for number, level in enumerate(levels)]
    found = grouping.groups(rows, "level")
    assert values(found) == [3.5, 25, 100, "all", None]
    assert [item["key"] for item in found[2].rows] == ["0", "5"]  # in the order that they had


def test_rows_that_are_sorted_by_the_value_keep_that_order() -> None:
    rows = [row("1", level=100), row("2", level=25), row("3", level=100)]
    assert values(grouping.groups(rows, "level", "-level,accuracy")) == [100, 25]
    assert values(grouping.groups(rows, "level", "-accuracy,level")) == [25, 100]


def test_a_setting_may_be_anything() -> None:
    found = [True, 1, [0, 1], [0, 1], {"a": 1}, None, 1.0]
    rows = [row(str(number), settings={"it": item}) for number, item in enumerate(found)]
    groups = grouping.groups(rows, "settings.it")
    assert [(group.value, len(group.rows)) for group in groups] == [
        *((True, 1), (1, 2), ("0+1", 2), ("{'a': 1}", 1), (None, 1))
    ]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'level'"):
        grouping.groups([row("1")], "levle")


def test_what_is_measured_once_per_run_counts_once_per_run() -> None:
    rows = [row("1", arm, duration_s=100.0, accuracy=0.6) for arm in ("real", "add:1", "classic")]
    rows += [row("2", duration_s=300.0, accuracy=1.0), row("3", duration_s=None, accuracy=None)]
    (group,) = grouping.groups(rows, "preset")
    head = group.head()
    assert (head["runs"], head["rows"]) == (3, 5)
    assert head["figures"]["duration_s"] == {"mean": 200.0, "low": 100.0, "high": 300.0}
    assert head["figures"]["accuracy"] == {"mean": pytest.approx(0.7), "low": 0.6, "high": 1.0}
    assert "fid_qd" not in head["figures"]


def test_settings_that_all_runs_share_are_not_offered() -> None:
    settings = [
        {"source": "sample", "level": 10, "rate": 0.1, "gan": {"steps": 5}},
        {"source": "sample", "level": 20, "rate": 1, "gan": {"steps": 5}, "flip": True},
        {"source": "sample", "level": 10, "rate": None, "gan": {"steps": 6}, "flip": True},
    ]
    found = grouping.settings([{"settings": item} for item in settings])
    assert [(item["name"], item["kind"]) for item in found] == [
        ("settings.flip", "text"),
        ("settings.gan.steps", "integer"),
        ("settings.level", "integer"),
        ("settings.rate", "number"),
    ]
    assert grouping.settings([]) == []


def test_points_have_values_and_colours() -> None:
    rows = [
        row("1", "add:1", share=1.0, level=10, settings={"seeds": [0, 1]}),
        row("1", "add:1@sd", share=1.0, kind="add", level=10),
        row("2", "mine", kind="add", share=1.0, level=None),
        row("3", arm="real", level=20),
    ]
    found = points(rows, ["level", "settings.seeds"], "arm")
    assert [item["values"]["level"] for item in found["rows"]] == [10, 10, None, 20]
    assert found["rows"][0]["values"]["settings.seeds"] == "0+1"
    colours = found["colours"]
    assert colours["add:1"] == style.colour("add", 1.0) and colours["real"] == style.colour("real")
    assert colours["mine"] == style.colour("add", 1.0, "mine")
    assert len(set(colours.values())) == 4
    texts = points(rows, ["level"], "settings.seeds")["colours"]
    assert list(texts) == ["0+1"] and texts["0+1"].startswith("#")


def test_many_rows_are_drawn_in_part_and_too_many_columns_not_at_all() -> None:
    found = points([row(str(number)) for number in range(MOST + 5)], ["level"], "")
    assert (found["total"], len(found["rows"]), found["colours"]) == (MOST + 5, MOST, {})
    with pytest.raises(InputError, match="At most 20 columns"):
        points([], ["level"] * 21, "")
    with pytest.raises(InputError, match="no field 'nothing'"):
        points([], ["nothing"], "")
