"""The page of a run is linked from everywhere, and its links lead somewhere."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin

import pytest
from recorded import add, build_run
from servers import GcsServer
from serving import serve

from augstudy.cli.app import invoke
from augstudy.local.runfolder import refresh_overview
from augstudy.objects import open_store
from augstudy.pages import run_page
from augstudy.runs.bucket import Bucket
from augstudy.runs.folder import RunsFolder
from augstudy.ui.library import Library
from augstudy.ui.server import Server

ARMS = (("real", None, 0.0), ("add", 1.0, 0.5))
REPORT = "<!doctype html><main>\n<h1>It helps</h1></main>"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "the runs"
    build_run(folder, ARMS)
    add(folder, 0.8)
    (folder / "0001" / "report.html").write_text(REPORT)
    assert refresh_overview(folder) == ""
    return folder


@pytest.fixture
def served(runs: Path) -> Iterator[Server]:
    yield from serve(Library(RunsFolder(runs)))


def get(server: Server, path: str) -> tuple[int, str, bytes]:
    host, port = server.server_address[:2]
    connection = http.client.HTTPConnection(str(host), port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Content-Type") or "", answer.read()
    connection.close()
    return found


def links(page: str) -> list[str]:
    return re.findall(r'<a href="([^"]+)"', page)


def test_the_report_of_a_folder_links_to_the_page_beside_it(runs: Path) -> None:
    report = (runs / "0001" / "report.html").read_text()
    assert links(report) == ["index.html"] and "<h1>It helps</h1>" in report
    assert run_page.linked(report) == report  # once is enough
    (artifact,) = (runs / "0001").glob("artifacts/study/summarize/report/report.html")
    assert links(artifact.read_text()) == []  # which has no page beside it, and keeps its hash


def test_a_comparison_links_to_the_pages_of_its_runs(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    page = tmp_path / "deep" / "found.html"
    arguments = ["1:real", "1:add", "--runs-dir", str(runs), "--html", str(page)]
    assert invoke(["compare", *arguments]) == 0
    found = links(page.read_text())
    assert found == ["../the%20runs/0001/index.html"] * 2
    assert (page.parent / unquote(found[0])).is_file()


def test_runs_show_says_where_it_is(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["runs", "show", "1", "--runs-dir", str(runs)]) == 0
    assert f"{runs}/0001/index.html" in capsys.readouterr().out


def test_every_link_of_the_served_page_leads_somewhere(served: Server) -> None:
    status, kind, page = get(served, "/run/1/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    found = {target.split("#")[0] for target in links(page.decode())}
    assert {"report.html", "settings.yaml"} < found and len(found) > 10
    for target in found:
        status, kind, content = get(served, urljoin("/run/1/", target))
        assert status == 200 and (content or target.endswith(".keras")), target
        if target.endswith((".keras", ".npz")):
            assert kind.startswith("application/octet-stream")
    report = get(served, "/run/1/report.html")[2].decode()
    assert urljoin("/run/1/report.html", links(report)[0]) == "/run/1/index.html"
    assert get(served, "/run/1/index.html")[2] == page
    compared = get(served, "/compare?arms=1:real,1:add")[2].decode()
    assert set(links(compared)) == {"run/1/"}


@pytest.mark.parametrize(
    "path",
    [
        "/run/1/run.json",  # is there, but not on the page
        "/run/1/note.txt",
        "/run/1/../0002/record.json",
        "/run/1/..%2f0002%2frecord.json",
        "/run/1/artifacts",
        "/run/1/%00",
        "/run/9/",
        "/run/1",
        "/run",
    ],
)
def test_what_the_page_does_not_link_to_is_not_there(served: Server, path: str) -> None:
    assert get(served, path)[0] in (400, 404)


def test_a_run_without_results_has_a_page_as_well(served: Server) -> None:
    status, _, page = get(served, "/run/2/")
    assert status == 200 and b"No step has finished." in page
    assert get(served, "/run/2/report.html")[0] == 404


def test_the_page_of_a_run_in_a_bucket(runs: Path, gcs: GcsServer) -> None:
    gcs.put("artifacts", "kfp/other", b"")
    store = open_store("gs://artifacts/kfp")
    for part in ("cams/real", "summarize/report"):
        source = next(runs.glob(f"0001/artifacts/study/{part}"))
        store.upload(source, f"study/ab12/task/1/{source.name}")
    Bucket(store).rebuild()
    serving = serve(Library(Bucket(store)))
    server = next(serving)
    _, _, page = get(server, "/run/1/")
    found = {target.split("#")[0] for target in links(page.decode())}
    assert "report.html" in found and "task/1/real/maps.npz" in found
    for target in found:
        assert get(server, urljoin("/run/1/", target))[0] == 200, target
    assert list(serving) == []
