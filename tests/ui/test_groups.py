"""Rows put together by a column or a setting, and the charts of them, in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from browser import Page
from conftest import served
from found import arm, study

from augstudy.runs.folder import RunsFolder

READY = "document.querySelectorAll('tr.row').length > 0"
POINTS = "document.querySelectorAll('#scatter .point').length"
LEVELS = (10, 100)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where twelve runs are served: two arms each, but for two that have failed."""
    folder = tmp_path_factory.mktemp("groups") / "runs"
    for number in range(1, 13):
        path = folder / f"{number:04d}"
        path.mkdir(parents=True)
        level = LEVELS[number % 2]
        settings = {"source": "sample", "level": level, "seeds": [0, 1], "gpus": 0}
        settings["classifier_settings"] = {"batch_size": 16 * (number % 3 + 1)}
        failed = number > 10
        facts = {
            "name": path.name,
            "pipeline": "<b>augmentation</b>",
            "state": "failed" if failed else "done",
            "started": 1_700_000_000 + number,
            "duration_s": 100.0 * number,
            "parameters": settings,
        }
        (path / "run.json").write_text(json.dumps(facts))
        if not failed:
            arms = {"real": arm(accuracy=0.5), "add:1": arm("add", 1.0, accuracy=0.5 + number / 50)}
            summary = study(arms).model_dump(mode="json")
            summary["data"]["level"] = level
            (path / "summary.json").write_text(json.dumps(summary))
    RunsFolder(folder).rebuild()
    with served(folder) as found:
        yield found


def choose(page: Page, selector: str, value: str) -> None:
    """Choose from a list, as a person does."""
    page.value(
        f"void (() => {{ const box = document.querySelector('{selector}'); box.value = '{value}';"
        " box.dispatchEvent(new Event('change')); })()"
    )


def heads(page: Page) -> list[str]:
    return page.texts("tr.group th")


def test_runs_are_grouped_and_back_returns(page: Page, place: str, shots: Path) -> None:
    page.go(place)
    page.wait(READY)
    assert heads(page) == []
    choose(page, "#group", "level")
    page.wait("document.querySelectorAll('tr.group').length === 2")
    first, second = heads(page)
    assert first.startswith("Level: 10") and "6 runs, 11 rows" in first
    assert second.startswith("Level: 100") and "6 runs, 11 rows" in second
    assert page.text("#count") == "22 rows"
    (accuracy, *_) = page.texts("tr.group td.num")
    assert accuracy == "56.0\xa0% 50.0 to 70.0\xa0%"
    assert "group=level" in page.value("location.hash")
    page.screenshot(shots / "grouped.png")
    choose(page, "#group", "settings.classifier_settings.batch_size")
    page.wait("document.querySelectorAll('tr.group').length === 3")
    assert heads(page)[0].startswith("classifier_settings.batch_size: 16")
    page.value("void history.back()")
    page.wait("document.querySelectorAll('tr.group').length === 2")
    assert page.value("document.querySelector('#group').value") == "level"
    page.value("void history.back()")
    page.wait("document.querySelectorAll('tr.group').length === 0")


def test_an_address_may_group_by_what_the_list_does_not_offer(page: Page, place: str) -> None:
    page.go(f"{place}#group=settings.gpus&where=arm%3D%3D'real'")
    page.wait("document.querySelectorAll('tr.group').length === 1")
    assert heads(page)[0].startswith("gpus: 0") and "10 runs" in heads(page)[0]
    page.go("about:blank")
    page.go(f"{place}#group=pipeline")
    page.wait("document.querySelectorAll('tr.group').length === 1")
    assert "<b>augmentation</b>" in heads(page)[0]  # a text, as somebody wrote it
    page.go("about:blank")
    page.go(f"{place}#group=levle")
    page.wait("!document.querySelector('#problem').hidden")
    assert "did you mean 'level'?" in page.text("#problem")
    page.complained()


def test_sorting_by_the_column_of_the_groups_sorts_the_groups(page: Page, place: str) -> None:
    page.go(f"{place}#group=level&sort=-level")
    page.wait("document.querySelectorAll('tr.group').length === 2")
    assert [text.split()[1] for text in heads(page)] == ["100", "10"]


def test_points_are_links_for_mouse_and_keyboard(page: Page, place: str, shots: Path) -> None:
    page.go(place)
    page.wait(READY)
    page.click("#views a:nth-child(2)")
    page.wait(f"{POINTS} === 20")
    assert "2 of 22 rows are not shown: they lack Level or Accuracy." in page.text("#scatter")
    assert page.texts("#charts .legend span:not(.dot)") == ["real", "add:1"]
    assert page.value("document.querySelectorAll('.point[tabindex=\"0\"]').length") == 1
    choose(page, "#x", "duration_s")
    page.wait("location.hash.includes('x=duration_s')")
    page.wait("document.querySelector('#scatter svg').textContent.includes('Took')")
    page.screenshot(shots / "scatter.png")
    page.value("void document.querySelector('.point').focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="End", code="End")
    page.wait("document.activeElement.getAttribute('aria-label').startsWith('Run 10, ')")
    assert "Accuracy 70.0" in page.value("document.activeElement.getAttribute('aria-label')")
    page.wait("!document.querySelector('.tip').hidden")
    assert "Run 10, add:1" in page.text(".tip") and "Took: 16 min 40 s" in page.text(".tip")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r")
    page.wait("document.querySelector('#details h2')?.innerText === 'Run 10'")
    page.value("void history.back()")
    page.wait("document.querySelector('#details').hidden")
    page.value("void history.back()")
    page.wait("!location.hash.includes('x=')")
    page.value("void history.back()")
    page.wait("!document.querySelector('#scroller').hidden")


def test_an_arm_has_the_colour_that_it_has_in_reports(page: Page, place: str) -> None:
    from augstudy.pages import style

    page.go(f"{place}#view=charts")
    page.wait(f"{POINTS} === 20")
    shades = "[...new Set([...document.querySelectorAll('.point circle:last-child')]"
    found = page.value(f"{shades}.map((item) => item.getAttribute('fill')))]")
    assert set(found) == {style.colour("real"), style.colour("add", 1.0)}


def test_a_line_through_many_columns_lights_up(page: Page, place: str, shots: Path) -> None:
    page.go(f"{place}#view=charts&colour=accuracy&axes=settings.gpus,level,accuracy,state")
    page.wait("document.querySelectorAll('#parallel .line').length === 22")
    titles = page.value(
        "[...document.querySelectorAll('#parallel .name')].map((e) => e.lastChild.data)"
    )
    assert titles == ["gpus", "Level", "Accuracy", "State"]
    page.value("void document.querySelector('#parallel').scrollIntoView()")
    at = page.value(
        "(() => { const path = document.querySelector('#parallel .line path');"
        " const found = path.getPointAtLength(path.getTotalLength() * 0.45);"
        " const box = path.ownerSVGElement.getBoundingClientRect();"
        " return [box.x + found.x, box.y + found.y]; })()"
    )
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=at[0], y=at[1])
    page.wait("!document.querySelector('.tip').hidden")
    assert page.text(".tip").startswith("Run ") and "State: done" in page.text(".tip")
    lit = "getComputedStyle(document.querySelector('.line:hover path:last-child')).strokeWidth"
    assert page.value(lit) == "3px"
    page.screenshot(shots / "parallel.png")


def test_only_ticked_rows_are_drawn(page: Page, place: str) -> None:
    page.go(f"{place}#view=charts&ticks=1:real,2:add:1")
    page.wait(f"{POINTS} === 20")
    page.click("#only")
    page.wait(f"{POINTS} === 2")
    assert "only=ticks" in page.value("location.hash")


def test_charts_that_are_empty_say_why(page: Page, place: str) -> None:
    page.go(f"{place}#view=charts&where=state%3D%3D'failed'&axes=level")
    page.wait("document.querySelectorAll('#charts .empty').length === 2")
    assert page.texts("#charts .empty") == [
        "No row has both Level and Accuracy: choose other columns.",
        "Choose at least two columns.",
    ]
    page.type("#where", "level > 1e6")
    page.wait("!document.querySelector('#nothing').hidden")
    assert page.value("document.querySelector('#charts').hidden")


def test_a_long_list_is_drawn_in_part(page: Page, address: str) -> None:
    found = json.loads(urlopen(f"{address}api/points?columns=level,accuracy&colour=arm").read())
    assert found["total"] == 20_000 and len(found["rows"]) == 2000
    page.go(f"{address}#view=charts")
    page.wait(f"{POINTS} > 1000")
    assert "The first 2,000 of 20,000 rows are drawn" in page.text("#charts")
