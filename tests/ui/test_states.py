"""The web page while there is nothing to see, while a run goes on, and once it has failed."""

import json
import time
from pathlib import Path
from urllib.request import urlopen

from browser import Page

from augstudy.local.runfolder import EVENTS, RunFolder

SETTINGS = {"source": "sample", "level": 30, "classifier": "modern"}
READY = "document.querySelectorAll('tr.row').length > 0"
ROWS = "document.querySelectorAll('tr.row').length"


def test_an_empty_folder_says_how_to_start(page: Page, few: tuple[Path, str], shots: Path) -> None:
    page.go(few[1])
    page.wait("!document.querySelector('#nothing').hidden")
    assert "augstudy run" in page.text("#nothing")
    page.screenshot(shots / "empty.png")


def test_a_filter_without_hits_can_be_cleared(page: Page, address: str) -> None:
    page.go(f"{address}#search=nosuchword")
    page.wait("!document.querySelector('#nothing').hidden")
    page.click("#nothing button")
    page.wait(READY)
    assert page.value("document.querySelector('#search').value") == ""
    assert page.value("document.querySelector('#nothing').hidden")


def test_a_run_that_goes_on_is_followed_until_it_fails(
    page: Page, few: tuple[Path, str], shots: Path
) -> None:
    folder, address = few
    run = RunFolder.create(folder, "augmentation_study", SETTINGS, note="", preset="quick")
    began = {"stage": "train_cnn", "label": "real", "pid": 7, "time": time.time()}
    events = [
        {"event": "plan", "steps": 9, **began},
        {"event": "launch", **began},
        {"event": "start", **began},
        {"event": "progress", "done": 1, "total": 4, "text": "seed 1 of 2", **began},
    ]
    (run.path / EVENTS).write_text("".join(f"{json.dumps(item)}\n" for item in events))
    rows = f"{address}api/rows?where=&search=&sort=&offset=0&limit=5"
    while not json.loads(urlopen(rows).read())["total"]:
        time.sleep(0.1)  # the server looks at the folder every few seconds
    page.go(f"{address}#open=1")
    page.wait("document.querySelector('.steps progress')?.value === 0.25")
    assert "train_cnn real" in page.text(".steps") and "seed 1 of 2" in page.text(".steps")
    assert page.text("#count").endswith("1 running")
    page.screenshot(shots / "running.png")
    run.finish("failed", 12.0, error="The loss is no finite number: lower the rate.")
    page.wait("document.querySelector('.trouble')")
    assert "lower the rate" in page.text(".trouble")
    page.wait("document.querySelector('#count').innerText === '1 row'")
    page.screenshot(shots / "failed.png")


def test_back_returns_to_the_list(page: Page, address: str) -> None:
    page.go(address)
    page.wait(READY)
    page.click("tr.row[data-name='10000:add:1'] td:nth-child(3)")
    page.wait("document.querySelector('#details h2')?.innerText === 'Run 10000'")
    page.value("void history.back()")
    page.wait("document.querySelector('#details').hidden")
    assert page.value(ROWS) > 0
    page.value("void history.forward()")
    page.wait("!document.querySelector('#details').hidden")


def test_the_row_that_was_opened_keeps_the_focus(page: Page, address: str) -> None:
    page.go(address)
    page.wait(READY)
    page.value(
        "void (() => { const row = document.querySelectorAll('tr.row')[3]; row.focus();"
        " row.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true})); })()"
    )
    page.wait("!document.querySelector('#details').hidden")
    name = "document.querySelectorAll('tr.row')[3].dataset.name"
    assert page.value(f"document.activeElement.dataset.name === {name}")


def test_the_menu_of_columns_stays_in_the_window_and_closes(
    page: Page, address: str, shots: Path
) -> None:
    size = {"width": 420, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    page.call("Emulation.setDeviceMetricsOverride", **size)
    page.go(address)
    page.wait(READY)
    opened = "document.querySelector('#chooser').open"
    for close in (
        "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))",
        "document.querySelector('h1').click()",
    ):
        page.click("#chooser summary")
        assert page.value(opened)
        box = page.value(
            "document.querySelector('#chooser .choices').getBoundingClientRect().toJSON()"
        )
        assert box["left"] >= 0 and box["right"] <= 420 and box["bottom"] <= 700
        page.screenshot(shots / "columns.png")
        page.value(f"void {close}")
        assert not page.value(opened)


def test_tabs_are_tabs_and_everything_is_in_a_landmark(page: Page, address: str) -> None:
    page.go(f"{address}#open=10000")
    page.wait("document.querySelector('#inside dl')")
    assert page.value(
        "[...document.querySelector('[role=tablist]').children].every("
        "(item) => item.role === 'tab')"
    )
    assert page.value("document.querySelector('#inside').role") == "tabpanel"
    assert page.value(
        "[...document.body.children].every((item) => "
        "['HEADER', 'MAIN', 'NOSCRIPT', 'SCRIPT'].includes(item.tagName))"
    )
    page.value(
        "void (() => { const tab = document.querySelector('[aria-selected=true]'); tab.focus();"
        " tab.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'})); })()"
    )
    page.wait("document.activeElement.innerText === 'Curves'")
    assert page.value("document.activeElement.getAttribute('aria-selected')") == "true"
