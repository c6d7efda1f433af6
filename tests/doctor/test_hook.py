"""The chart's schedule job, against KFP's API on loopback."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml
from kfp_server import KfpServer, Reply

from augstudy.cluster import hook
from augstudy.cluster.compile import compile_pipeline
from augstudy.local import catalog

GOLDEN = Path(__file__).parents[1] / "chart" / "golden" / "schedule.yaml"
PIPELINE = Path(__file__).parents[1] / "local" / "fakes" / "plain.py"
Run = Callable[..., int]


@pytest.fixture
def kfp() -> Iterator[KfpServer]:
    with KfpServer() as server:
        yield server


@pytest.fixture
def run(kfp: KfpServer) -> Run:
    """Runs the job as the chart has it, with some arguments replaced."""

    def start(action: str = "apply", **changes: str) -> int:
        arguments = {**_of_chart(action), "host": kfp.url, **changes}
        return hook.main([action, *(f"--{key}={value}" for key, value in arguments.items())])

    return start


def _of_chart(action: str) -> dict[str, str]:
    for item in yaml.safe_load_all(GOLDEN.read_text()):
        if item["kind"] == "Job" and item["metadata"]["name"] == f"augstudy-{action}":
            (container,) = item["spec"]["template"]["spec"]["containers"]
            assert container["command"] == ["python", "-m", "augstudy.cluster.hook", action]
            pairs = (text.removeprefix("--").split("=", 1) for text in container["args"])
            return dict(pairs)
    raise AssertionError(action)


def _upload(
    kfp: KfpServer,
    folder: Path,
    what: str = "upload?name=retrain",
    pipeline: str = str(PIPELINE),
) -> dict[str, str]:
    """Upload a pipeline as a client would."""
    target = folder / "pipeline.yaml"
    compile_pipeline(catalog.load(pipeline), target)
    body = (
        b'--x\r\nContent-Disposition: form-data; name="uploadfile"; filename="a.yaml"\r\n\r\n'
        + target.read_bytes()
        + b"\r\n--x--\r\n"
    )
    request = Request(f"{kfp.url}/apis/v2beta1/pipelines/{what}", data=body)
    request.add_header("Content-Type", "multipart/form-data; boundary=x")
    with urlopen(request) as answer:
        return dict(json.load(answer))


def test_creates_leaves_alone_and_replaces(
    kfp: KfpServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _upload(kfp, tmp_path)
    changes = {"parameters": "{}"}
    assert run(**changes) == 0
    ((first, made),) = kfp.schedules.items()
    assert made["display_name"] == "retrain"
    assert made["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * 1"
    assert made["service_account"] == "augstudy"
    assert run(**changes) == 0
    assert list(kfp.schedules) == [first]
    assert run(cron="0 0 4 * * 1", **changes) == 0
    ((second, made),) = kfp.schedules.items()
    assert second != first
    assert made["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * 1"
    said = capsys.readouterr().out
    assert [word for word in ("created", "as it should be", "replaced") if word in said] == [
        "created",
        "as it should be",
        "replaced",
    ]


def test_a_number_is_written_as_text_where_the_pipeline_declares_text(
    kfp: KfpServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _upload(kfp, tmp_path, pipeline="retrain")
    given = {"champion": "gs://bucket/champions", "gpus": 1, "level": 20}
    assert run(parameters=json.dumps(given)) == 0, capsys.readouterr().err
    (made,) = kfp.schedules.values()
    assert made["runtime_config"]["parameters"] == {**given, "gpus": "1"}
    assert run(parameters=json.dumps(given)) == 0
    assert "as it should be" in capsys.readouterr().out


def test_what_is_said_shows_no_credentials(
    run: Run, kfp: KfpServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(host="http://me:a-pass-word@127.0.0.1:x") == 2
    _upload(kfp, tmp_path)
    said = b'{"message": "no, https://me:another-word@kfp\\u001b]0;x\\u0007"}'
    kfp.instead["POST recurringruns"] = Reply(400, said)
    assert run(parameters="{}") == 2
    said_here = capsys.readouterr().err
    assert "-word" not in said_here and "\x1b" not in said_here


def test_a_new_version_replaces(kfp: KfpServer, run: Run, tmp_path: Path) -> None:
    found = _upload(kfp, tmp_path)
    assert run(parameters="{}") == 0
    (before,) = kfp.schedules.values()
    _upload(kfp, tmp_path, f"upload_version?name=two&pipelineid={found['pipeline_id']}")
    assert run(parameters="{}") == 0
    (after,) = kfp.schedules.values()
    reference = "pipeline_version_reference"
    assert before[reference]["pipeline_version_id"] != after[reference]["pipeline_version_id"]


def test_deletes(
    kfp: KfpServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _upload(kfp, tmp_path)
    run(parameters="{}")
    assert run("delete") == 0
    assert kfp.schedules == {}
    assert run("delete") == 0
    assert "is not there" in capsys.readouterr().out


def test_a_refused_creation_leaves_the_old_one(
    kfp: KfpServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _upload(kfp, tmp_path)
    run(parameters="{}")
    before = dict(kfp.schedules)
    assert run(cron="no cron at all x y z", parameters="{}") == 2
    assert kfp.schedules == before
    said = capsys.readouterr().err
    assert "does not create schedule 'retrain': Schedule cron is not a supported format" in said


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"pipeline": "retrain"}, 2, "There is no pipeline 'retrain'"),
        ({"host": "http://127.0.0.1:9"}, 3, "Nothing answers at http://127.0.0.1:9"),
    ],
)
def test_says_what_is_wrong(
    run: Run, capsys: pytest.CaptureFixture[str], changes: dict[str, str], code: int, said: str
) -> None:
    assert run(**changes) == code
    assert said in capsys.readouterr().err


def test_sends_the_accounts_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text("of-the-account\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(token))
    with KfpServer(token="of-the-account", multi_user=True) as kfp:
        arguments = ["delete", f"--host={kfp.url}", "--namespace=team-a", "--name=retrain"]
        assert hook.main(arguments) == 0


@pytest.mark.parametrize("status", [302, 303, 307, 308])
@pytest.mark.parametrize("where", ["GET healthz", "*"])
def test_its_token_follows_no_redirect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, where: str
) -> None:
    token = tmp_path / "token"
    token.write_text("of-the-account")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(token))
    with KfpServer() as kfp, KfpServer() as other:
        kfp.instead[where] = Reply(status, b"", location=f"{other.url}/apis/v2beta1/healthz")
        arguments = ["delete", f"--host={kfp.url}", "--name=retrain"]
        assert hook.main(arguments) == 3
        assert kfp.callers[-1] == "Bearer of-the-account"
        assert not other.callers


def test_a_login_page_is_no_schedule(
    kfp: KfpServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _upload(kfp, tmp_path)
    kfp.instead["POST recurringruns"] = Reply(200, b"<html>Log in</html>", "text/html")
    assert run(parameters="{}") == 3
    assert "is a web page and not Kubeflow Pipelines: log in" in capsys.readouterr().err
    kfp.instead["POST recurringruns"] = Reply(200, b"{}")
    assert run(parameters="{}") == 3
    assert "recurring_run_id is missing" in capsys.readouterr().err


_IN_THE_IMAGE = """
import sys
from importlib.metadata import packages_distributions

class Absent:
    def find_spec(self, name, *_):
        # The last one is a notebook's, and tenacity takes it where it is there.
        if name.partition(".")[0] in ("kfp", "kfp_server_api", "kubernetes", "tornado"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
before = set(sys.modules)
from augstudy.cluster import hook, kube, probe

code = hook.main(sys.argv[1:])
owners = packages_distributions()
names = {name.partition(".")[0] for name in set(sys.modules) - before}
used = {owner for name in names for owner in owners.get(name, [])}
print(*sorted(used), sep="\\n")
sys.exit(code)
"""


def test_needs_no_package_that_the_image_lacks(kfp: KfpServer) -> None:
    arguments = ["delete", f"--host={kfp.url}", "--name=retrain"]
    done = subprocess.run(
        [sys.executable, "-c", _IN_THE_IMAGE, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    said, *used = done.stdout.splitlines()
    assert said == "The schedule retrain is not there."
    lock = (Path(__file__).parents[2] / "requirements" / "image.txt").read_text()
    held = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)) | {"augstudy"}
    assert "urllib3" in used and {name.lower().replace("_", "-") for name in used} <= held
