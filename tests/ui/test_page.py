"""The web page in a real browser: ten thousand runs sorted, filtered and compared by mouse."""

import json
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from browser import Page, browser
from PIL import Image

ROWS = 20_000
READY = "document.querySelectorAll('tr.row').length > 0"


def column(page: Page, name: str) -> list[str]:
    """What the rows in sight say in a column, from the top."""
    heads = "[...document.querySelectorAll('#heads th')]"
    place = page.value(f"{heads}.findIndex((e) => e.dataset.field === '{name}')")
    return page.texts(f"tr.row td:nth-child({place + 1})")


def first(name: str, text: str) -> str:
    """The condition that the first row says something that begins so in a column."""
    heads = "[...document.querySelectorAll('#heads th')]"
    place = f"{heads}.findIndex((e) => e.dataset.field === '{name}')"
    return f"document.querySelector('tr.row').cells[{place}].innerText.startsWith('{text}')"


def count(page: Page, rows: str) -> None:
    """Wait until the page says how many rows there are."""
    page.wait(f"document.querySelector('#count').innerText === '{rows}'")


def test_ten_thousand_runs_are_listed_and_only_those_in_sight_drawn(
    page: Page, address: str, shots: Path
) -> None:
    page.go(address)
    count(page, "20,000 rows")
    page.wait(READY)
    assert column(page, "id")[:3] == ["10000", "10000", "9999"]
    assert page.value("document.querySelectorAll('tr.row').length") < 80
    page.screenshot(shots / "table.png")
    page.scroll("#scroller", 32 * 12_345)
    page.wait(
        "[...document.querySelectorAll('tr.row')].some((e) => e.dataset.name === '3828:real')"
    )
    page.scroll("#scroller", 32 * ROWS)
    page.wait("[...document.querySelectorAll('tr.row')].some((e) => e.dataset.name === '1:add:1')")
    assert page.value("document.querySelectorAll('tr.row').length") < 80
    assert column(page, "id")[-1] == "1"


def test_a_click_on_a_heading_sorts(page: Page, address: str, shots: Path) -> None:
    page.go(address)
    page.wait(READY)
    heading = "th[data-field='accuracy'] button"
    page.click(heading)
    page.wait("document.querySelector('th[aria-sort=descending]')")
    page.wait(first("accuracy", "95."))
    shown = [float(text.split("\xa0")[0]) for text in column(page, "accuracy")]
    assert shown == sorted(shown, reverse=True) and len(shown) > 20
    page.screenshot(shots / "sorted.png")
    page.click(heading)
    page.wait(first("accuracy", "50.0"))
    shown = [float(text.split("\xa0")[0]) for text in column(page, "accuracy")]
    assert shown == sorted(shown)
    assert "sort=accuracy" in page.value("location.hash")
    page.click(heading)
    page.wait("document.querySelector('tr.row').dataset.name === '10000:real'")


def test_filter_and_search(page: Page, address: str, shots: Path) -> None:
    page.go(address)
    page.wait(READY)
    page.type("#where", "accuracy > 0.94 and arm == 'add' and level <= 100")
    page.wait("document.querySelector('#count').innerText.endsWith('of 20,000 rows')")
    assert set(column(page, "arm")) == {"add:1"}
    assert all(float(text.split("\xa0")[0]) > 94 for text in column(page, "accuracy"))
    page.screenshot(shots / "filtered.png")
    page.type("#where", "acuracy > 0.9")
    page.wait("!document.querySelector('#problem').hidden")
    assert "did you mean 'accuracy'?" in page.text("#problem")
    page.scroll("#scroller", 40)  # draws again, which must not ask again: the answer is the same
    page.scroll("#scroller", 0)
    (complaint,) = page.complained()
    assert "400" in complaint  # the browser's own word for it
    asked = sum("acuracy" in url for url in page.requests)
    assert asked == 1
    page.type("#where", "")
    count(page, "20,000 rows")
    assert page.value("document.querySelector('#problem').hidden")
    page.type("#search", "note 3000")
    count(page, "2 of 20,000 rows")
    assert column(page, "id") == ["3000", "3000"]


def test_the_address_keeps_what_is_shown(page: Page, address: str) -> None:
    page.go(f"{address}#sort=-id&search=grace&ticks=10000%3Areal&columns=id%2Cuser%2Cgpu_s")
    page.wait(READY)
    assert page.texts("#heads th") == ["Compare", "Run \u2193", "User", "GPU"]
    assert set(column(page, "user")) == {"grace"}
    assert page.text("#compare") == "Tick one more to compare"
    page.click("#chooser summary")
    page.click("#chooser .choices label:nth-child(4) input")
    page.wait("document.querySelector('th[data-field=pipeline]')")
    assert "columns=id%2Cpipeline%2Cuser%2Cgpu_s" in page.value("location.hash")


def test_two_runs_are_compared(page: Page, address: str, shots: Path) -> None:
    page.go(address)
    page.wait(READY)
    for name in ("10000:real", "9999:add:1"):
        page.click(f"tr[data-name='{name}'] input")
    assert page.text("#compare") == "Compare 2"
    page.click("#compare")
    page.wait("document.querySelector('#metrics')")
    assert page.text("h1") == "10000:real and 9999:add:1"
    assert "better" in page.texts(".pill")
    page.wait("[...document.images].every((e) => e.complete && e.naturalWidth > 0)")
    assert page.value("document.images.length") > 10
    page.screenshot(shots / "comparison.png")
    page.value("void history.back()")
    page.wait(READY)
    assert page.text("#compare") == "Compare 2"
    page.click("#untick")
    page.wait("document.querySelector('#compare').hidden")


def test_the_details_of_a_run(page: Page, address: str, shots: Path) -> None:
    page.go(address)
    page.click("tr.row[data-name='10000:add:1'] td:nth-child(3)")
    page.wait("document.querySelector('#details h2')")
    assert page.text("#details h2") == "Run 10000"
    links = "[...document.querySelectorAll('.tabbar a')].map((link) => link.getAttribute('href'))"
    assert page.value(links) == ["run/10000/report.html", "run/10000/"]
    assert "add:1" in page.text("#inside") and "1 min 30 s" in page.text("#inside")
    page.click("#tabs button:nth-child(2)")
    page.wait("document.querySelectorAll('#inside img').length === 4")
    page.screenshot(shots / "curves.png")
    page.click("#tabs button:nth-child(3)")
    page.wait("document.querySelector('#sample')?.complete")
    last = page.value("document.querySelector('#sample').src")
    assert "After 1,500 generator steps" in page.text("#at")
    page.click("#step")  # its middle
    page.wait("document.querySelector('#at').innerText.startsWith('After 750 ')")
    assert page.value("document.querySelector('#sample').src") != last
    page.screenshot(shots / "samples.png")
    page.click("#tabs button:nth-child(4)")
    page.wait("document.querySelectorAll('.tiles figure').length > 10")
    page.value(
        "void (() => { const box = document.querySelector('[aria-label=Outcome]');"
        " box.value = 'wrong'; box.dispatchEvent(new Event('change')); })()"
    )
    assert page.value("document.querySelectorAll('.tiles .right').length") == 0
    assert all("\u2192" in text for text in page.texts(".tiles figcaption"))
    page.screenshot(shots / "heat.png")
    page.click(".close")
    page.wait("document.querySelector('#details').hidden")


def test_text_of_a_run_is_text(page: Page, address: str, runs: Path) -> None:
    """What somebody wrote into a note is shown, not run."""
    note = "<img src=x onerror=document.title='caught'>"
    (runs / "0007" / "note.txt").write_text(note)
    rows = f"{address}api/rows?where=&search=onerror&sort=&offset=0&limit=5"
    while json.loads(urlopen(rows).read())["total"] != 2:
        time.sleep(0.1)  # the server looks at the folder every few seconds
    page.go(f"{address}#search=onerror&open=7")
    page.wait("document.querySelector('#inside dl')")
    page.wait("document.querySelectorAll('tr.row').length === 2")
    assert note in page.text("#inside") and note in column(page, "note")[0]
    assert page.value("document.title") == "Runs"


def test_nothing_from_elsewhere_could_be_loaded(address: str, tmp_path: Path) -> None:
    """The policy itself holds: a picture and a script from elsewhere are refused."""
    with browser(tmp_path) as (page, proxy):
        page.go(address)
        page.wait(READY)
        page.value(
            "void document.body.append(Object.assign(new Image(), {src: 'http://192.0.2.1/x.png'}))"
        )
        page.value(
            "void document.head.append(Object.assign(document.createElement('script'),"
            " {src: 'http://192.0.2.1/x.js'}))"
        )
        said = page.complained()
        said += page.complained() if len(said) < 2 else []
        assert all("Content Security Policy" in text for text in said) and len(said) == 2
        assert proxy.asked == []


def test_in_the_dark_and_on_a_narrow_screen(address: str, tmp_path: Path, shots: Path) -> None:
    with browser(tmp_path) as (page, _):
        size = {"width": 420, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", **size)
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        page.call("Emulation.setEmulatedMedia", features=dark)
        page.go(f"{address}#open=10000")
        page.wait("document.querySelector('#inside dl')")
        page.screenshot(shots / "dark.png")
        assert page.value("document.documentElement.scrollWidth") <= 420
    with Image.open(shots / "dark.png") as shot:
        assert np.asarray(shot.convert("L")).mean() < 90


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssertionError, match="apt-get install chromium"), browser(tmp_path):
        pass
