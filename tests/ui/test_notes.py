"""Notes in the page: changed only where the server was started with --edit."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page
from conftest import served
from recorded import add

NOTED = "<img src=x onerror=document.title='caught'>\nbatch size 512: faster"


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Two runs, and where their notes can be changed."""
    folder = tmp_path / "runs"
    add(folder, 0.8)
    add(folder, 0.7)
    (folder / "0002" / "note.txt").write_text("the one for the paper\n")
    with served(folder, "--edit") as found:
        yield folder, found


def test_a_note_is_written_and_stays_a_text(
    page: Page, edited: tuple[Path, str], shots: Path
) -> None:
    folder, address = edited
    page.go(f"{address}#open=1")
    page.click("#note button")
    page.wait("document.activeElement.tagName === 'TEXTAREA'")
    assert page.text("#note h3") == "Note"
    page.call("Input.insertText", text=NOTED)
    page.screenshot(shots / "noting.png")
    page.click("#note button[type=submit]")
    page.wait("document.querySelector('#note .written')")
    assert page.text("#note .written") == NOTED
    assert (folder / "0001" / "note.txt").read_text() == f"{NOTED}\n"
    page.wait("document.querySelector('#rows').innerText.includes('onerror')")  # the table follows
    assert page.value("document.title") == "Runs"
    assert page.value("document.activeElement.innerText") == "Edit note"
    page.screenshot(shots / "noted.png")


def test_cancelling_leaves_the_note_as_it_was(page: Page, edited: tuple[Path, str]) -> None:
    folder, address = edited
    page.go(f"{address}#open=2")
    page.wait("document.querySelector('#note .written')")
    page.click("#note button")
    page.type("#note textarea", "nonsense")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape")
    page.wait("!document.querySelector('#note textarea')")
    assert page.text("#note .written") == "the one for the paper"
    assert (folder / "0002" / "note.txt").read_text() == "the one for the paper\n"


def test_a_note_that_cannot_be_written_says_why_and_stays_in_the_field(
    page: Page, edited: tuple[Path, str]
) -> None:
    folder, address = edited
    page.go(f"{address}#open=2")
    page.click("#note button")
    page.type("#note textarea", "gone")
    shutil.rmtree(folder / "0002")
    page.click("#note button[type=submit]")
    page.wait("document.querySelector('#note .trouble')?.innerText.includes('There is no run')")
    assert page.value("document.querySelector('#note textarea').value") == "gone"
    assert not (folder / "0002").exists()
    page.complained()


def test_without_edit_there_is_no_way_to_change_a_note(page: Page, tmp_path: Path) -> None:
    run = add(tmp_path / "runs", 0.8)
    (run.path / "note.txt").write_text("only to read\n")
    with served(tmp_path / "runs") as address:
        page.go(f"{address}#open=1")
        page.wait("document.querySelector('#note .written')")
        assert page.text("#note .written") == "only to read"
        assert page.value("fetch('api/editing').then((answer) => answer.json())")["token"] is None
        assert page.value("document.querySelectorAll('#note button').length") == 0
