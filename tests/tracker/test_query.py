"""Filters and orders: what they find, and that they run nothing."""

import pytest

from augstudy.core.errors import InputError
from augstudy.runs import query

ROWS = [
    {"id": 1, "arm": "real", "kind": "real", "accuracy": 0.7, "note": "the Base", "state": "done"},
    {"id": 1, "arm": "add:1", "kind": "add", "accuracy": 0.9, "state": "done"},
    {"id": 2, "arm": "add:0.5", "kind": "add", "accuracy": 0.8, "state": "done"},
    {"id": 3, "arm": None, "kind": None, "accuracy": None, "state": "running"},
]
ROWS[2]["settings"] = {"gan": "compact", "gan_settings": {"steps": 600}}


def found(text: str) -> list[int]:
    """Places of the rows that a filter finds."""
    test = query.where(text)
    return [place for place, row in enumerate(ROWS) if test(row)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("accuracy > 0.8", [1]),
        ("accuracy >= 0.8 and arm == 'add:1'", [1]),
        ('arm == "add"', [1, 2]),
        ('"add" == arm', [1, 2]),
        ("arm != 'add'", [0, 3]),
        ("arm == 'add_100' or 'add_50' == arm", [1, 2]),
        ("arm in ['add_50']", [2]),
        ("'add_100' in note", []),
        ("arm in ['real', 'add:0.5']", [0, 2]),
        ("arm in ('add', 'classic')", [1, 2]),
        ("not accuracy < 0.75", [1, 2, 3]),
        ("accuracy < 1", [0, 1, 2]),
        ("accuracy == None", [3]),
        ("accuracy is not None", [0, 1, 2]),
        ("0.75 < accuracy < 0.85 or state == 'running'", [2, 3]),
        ("'base' in note", [0]),
        ("'base' not in note", [1, 2, 3]),
        ("settings.gan_settings.steps > 500", [2]),
        ("settings.gan == 'compact' and id >= -2", [2]),
    ],
)
def test_filters(text: str, places: list[int]) -> None:
    assert found(text) == places


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a filter"),
        ("accuracy >", "is not a filter"),
        ("acuracy > 0.5", "did you mean 'accuracy'?"),
        ("nowhere_at_all == 1", "there are: id, name"),
        ("accuracy", "is not a comparison"),
        ("settings == 1", "no field 'settings'"),
        ("__import__('os').system('false') == 0", "is no filter|knows no"),
        ("(lambda: 1)() == 1", "knows no"),
        ("accuracy.__class__ == 1", "no field 'accuracy.__class__'"),
        ("accuracy > 2 ** 9999999", "knows no"),
        ("accuracy > (1 if 1 else 2)", "knows no"),
        ("[x for x in (1,)] == 1", "knows no"),
        ("not " * 600 + "id == 1", "shorten it"),
        ("(" * 900 + "1" + ")" * 900, "is not a filter"),
        ("accuracy > b'1'", "knows no"),
    ],
)
def test_what_is_no_filter(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        query.where(text)


def test_a_number_and_a_text_have_no_order() -> None:
    with pytest.raises(InputError, match="accuracy and 'high' are a number and a text"):
        found("accuracy > 'high'")


@pytest.mark.parametrize(
    ("order", "places"),
    [
        ("accuracy", [0, 2, 1, 3]),
        ("-accuracy", [1, 2, 0, 3]),
        ("state,-id", [2, 0, 1, 3]),
        ("", [0, 1, 2, 3]),
        ("-settings.gan_settings.steps", [2, 0, 1, 3]),
    ],
)
def test_orders(order: str, places: list[int]) -> None:
    assert [ROWS.index(row) for row in query.arrange(ROWS, order)] == places


def test_an_order_by_no_field() -> None:
    with pytest.raises(InputError, match="did you mean 'accuracy'"):
        query.arrange(ROWS, "-acuracy")
