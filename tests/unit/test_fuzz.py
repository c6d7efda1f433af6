"""All that people type, at random: it is taken, or refused in a sentence, and never a bug.

The examples are the same in every run.
"""

import io
import json
from datetime import datetime
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from augstudy.cluster import cron
from augstudy.core import outlets
from augstudy.core.errors import AugstudyError, InputError
from augstudy.core.names import why_no_class
from augstudy.local import catalog, parameters
from augstudy.pages import tables
from augstudy.runs import query, record
from augstudy.settings import parsing
from augstudy.settings.arms import KINDS
from augstudy.settings.augmentation import Augmentation
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.data import ImageSettings
from augstudy.settings.generators import DiffusionSettings, GanSettings
from augstudy.settings.judging import CurationSettings, JudgeSettings

fuzzed = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
KNOWN = list(catalog.parameters(catalog.load("augmentation_study")))
MODELS = {
    "classifier_settings": ClassifierSettings,
    "gan_settings": GanSettings,
    "judge_settings": JudgeSettings,
    "curation_settings": CurationSettings,
    "image_settings": ImageSettings,
}
NESTED = [f"{name}.{field}" for name, model in MODELS.items() for field in model.model_fields]
NESTED += [f"gan_settings.{field}" for field in DiffusionSettings.model_fields]
NESTED += [f"classifier_settings.augmentation.{field}" for field in Augmentation.model_fields]

odd = st.sampled_from(
    [
        *(
            "",
            "0",
            "-1",
            "1e400",
            ".inf",
            ".nan",
            "nan",
            "null",
            "none",
            "true",
            "no",
            "2026-01-01",
        ),
        *("[]", "{}", "[[]]", "[1, a]", "{a: b}", "&a [*a]", "!!python/object:os.system x", "*x"),
        *("\u202e", "\x00", "\x1b[2J", "\udce9", "é", "$x$", "%s", "{}", "\\", "'", '"', "a=b"),
        *("9" * 30, "9" * 5000, "-" * 50, "[" * 200, "a." * 50, "../x", "file:///", "s3://", "://"),
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | odd
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
shown = values.map(lambda value: yaml.safe_dump(value, allow_unicode=True)[:300]) | odd
pieces = st.lists(odd | st.text(max_size=8) | st.sampled_from([",", ":", "-", " "]), max_size=8)
anything = pieces.map("".join) | st.text(max_size=60)


def taken(call: Any, *arguments: Any) -> Any:
    """What a call returns; None if it refused, which it does in a sentence."""
    try:
        return call(*arguments)
    except AugstudyError as error:
        assert type(error) is not AugstudyError and error.exit_code in (2, 3, 4)
        assert str(error).strip() and len(str(error)) < 3000
        return None


def wanted(*assignments: str) -> Any:
    return taken(parameters.Wanted("augmentation_study", "smoke", settings=assignments).values)


@fuzzed
@given(st.lists(st.tuples(st.sampled_from([*KNOWN, *NESTED]) | anything, shown), max_size=3))
@example([("classifier_settings.epochs", "9" * 5000)])
@example([("level", "[" * 5000)])
@example([("seeds", "2026-02-30")])
@example([("arms", "[{arm: add, share: 2026-02-30}]")])
@example([("workers", "1000000000"), ("classes", "a,b")])
def test_settings(pairs: list[tuple[str, str]]) -> None:
    found = wanted(*(f"{name}={value}" for name, value in pairs))
    if found is not None:
        json.dumps(found)


@fuzzed
@given(
    st.lists(
        st.tuples(st.sampled_from([*KINDS]) | anything, anything | st.floats().map(str)), max_size=4
    ).map(lambda parts: ",".join(f"{arm}:{share}" if share else arm for arm, share in parts))
    | anything
)
@example("add:1_000")
@example("add:0x1")
@example("add:٣")
def test_arms(text: str) -> None:
    arms = taken(parsing.parse_arms, text)
    if arms:
        taken(parameters.Wanted("augmentation_study", "smoke", arms=text).values)


@fuzzed
@given(st.lists(anything, max_size=4), st.booleans())
@example(["0", "1"], False)
@example(["yes", "null"], True)
def test_classes(names: list[str], as_list: bool) -> None:
    text = yaml.safe_dump(names, allow_unicode=True) if as_list else ",".join(names)
    found = wanted(f"classes={text}")
    if found is not None:
        assert all(not why_no_class(name) for name in found["classes"])


@fuzzed
@given(anything, anything)
def test_seeds_and_levels(seeds: str, levels: str) -> None:
    found = taken(parsing.parse_integers, seeds, "--seeds")
    assert found is None or len(found) <= 1000
    taken(parsing.parse_levels, levels)


@fuzzed
@given(anything, values)
def test_notes_and_whatever_else_stands_in_a_run(note: str, value: Any) -> None:
    facts = {"id": 1, "state": "done", "note": note, "name": note, "parameters": {"level": value}}
    facts |= {"changed": {note: value}, "started": value, "duration_s": value}
    rows = list(record.rows([record.build(facts)]))
    text = io.StringIO()
    console = outlets.console(file=text, width=200)
    assert isinstance(console, Console)
    console.print(tables.render(rows, tables.columns("")))
    assert not any(mark in text.getvalue() for mark in "\x1b\x00\u202e")
    json.dumps(rows, allow_nan=False)
    for field in record.FIELDS:
        query.arrange(rows, field)
    outlets.cell(note), outlets.markdown(note)


FIELD = st.sampled_from([*record.FIELDS, "settings.level", "settings.a.b", "nothing"])
OPERATION = st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "in", "not in", "is", "is not"])
ROWS = list(record.rows([record.build({"id": 1, "state": "done", "parameters": {"level": 3}})]))


@fuzzed
@given(
    st.lists(st.tuples(FIELD, OPERATION, scalars.map(repr) | anything), min_size=1, max_size=3).map(
        lambda parts: " and ".join(" ".join(part) for part in parts)
    )
    | anything
)
@example("(" * 500)
@example("not " * 500 + "id == 1")
@example("id == " + "-" * 1500 + "1")
@example("f'{id}' == 1")
@example("id == 1e999")
def test_filters(text: str) -> None:
    found = taken(query.where, text)
    if found:
        for row in ROWS:
            taken(found, row)


@fuzzed
@given(anything)
def test_sorting_and_columns(text: str) -> None:
    taken(query.arrange, ROWS, text)
    taken(tables.columns, text)


@fuzzed
@given(
    st.lists(
        st.sampled_from(["*", "?", "0", "59", "60", "*/5", "1-3", "MON", "JAN", "L", "1/0", "7"])
        | anything,
        min_size=4,
        max_size=8,
    ).map(" ".join)
    | anything
    | anything.map("@every {}".format)
)
@example("@every 99999999999h")
@example(f"0 0 0 {'9' * 5000} * *")
@example("0 0 0 1-2-3 * *")
@example("0 0 0 */99999999999 * *")
def test_cron_lines(text: str) -> None:
    found = taken(cron.parse, text)
    if found:
        taken(found.after, datetime(2026, 1, 1))


def test_what_is_typed_is_refused_and_no_more() -> None:
    """The tests above would see nothing if nothing was ever taken."""
    assert wanted("seeds=[3]")["seeds"] == [3]
    assert taken(cron.parse, "0 0 3 * * 1")
    try:
        parsing.parse_arms("nonsense")
    except InputError:
        return
    raise AssertionError
