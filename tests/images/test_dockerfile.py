"""What can be said of the images without building them."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

from augstudy.cluster import image

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "images" / "Dockerfile"
TEXT = "".join(
    line for line in DOCKERFILE.read_text().splitlines(keepends=True) if not line.startswith("#")
)
BUILD = ROOT / "scripts" / "build_images.sh"


def instructions() -> list[tuple[str, str]]:
    """Name and rest of each instruction, continued lines joined."""
    joined = TEXT.replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]  # type: ignore[misc]


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage, its FROM first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, rest in instructions():
        if name == "FROM":
            found[rest.split(" AS ")[1]] = []
        if found:
            found[list(found)[-1]].append((name, rest))
    return found


def test_the_base_is_an_argument_pinned_by_digest() -> None:
    name, rest = instructions()[0]
    assert name == "ARG"
    assert re.fullmatch(r"BASE_IMAGE=python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", rest)
    known = {"${BASE_IMAGE}"}
    for stage, lines in stages().items():
        assert lines[0][1].split()[0] in known
        known.add(stage)
    assert "latest" not in TEXT


def test_the_targets_run_as_an_unprivileged_user() -> None:
    for target in ("cpu", "gpu"):
        lines = stages()[target]
        users = [rest for name, rest in lines if name == "USER"]
        assert users[-1] == "10001:10001"
        assert not [name for name, _ in lines[lines.index(("USER", users[-1])) :] if name == "RUN"]


def test_the_classic_builder_can_build_it() -> None:
    assert "--mount" not in TEXT
    assert "<<" not in TEXT
    assert "--chmod" not in TEXT
    assert "# syntax" not in DOCKERFILE.read_text()
    order = list(stages())
    assert order.index("cpu") < order.index("cuda"), "it builds every stage before the target"


def test_packages_come_from_locks_with_hashes_alone() -> None:
    assert not re.search(r"pip\d* install|apt-get|apt install|curl|wget", TEXT)
    script = (ROOT / "images" / "install").read_text()
    assert "-m pip install --no-deps --require-hashes" in script
    assert re.findall(r"/build/install \S+ (\S+)", TEXT) == ["image.txt", "image-gpu.txt"]


def test_settings_of_the_package_index_stay_out_of_the_targets() -> None:
    for target in ("cpu", "gpu"):
        text = str(stages()[target])
        assert "PIP_" not in text
        assert "ca.crt" not in text
    assert "http" not in TEXT


def test_labels() -> None:
    text = str(stages()["cpu"])
    for name in ("title", "description", "licenses", "version", "revision", "base.name"):
        assert f"org.opencontainers.image.{name}=" in text


def test_the_build_sees_what_the_tag_is_a_hash_of() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if line and line[0] not in "#!") == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert allowed == {*image.SOURCES, "ca.crt"}
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert source == "ca.cr[t]" or source.startswith(tuple(image.SOURCES)), source


def docker_stub(folder: Path) -> Path:
    """A ``docker`` that keeps the build's context and arguments instead of building."""
    stub = folder / "bin" / "docker"
    stub.parent.mkdir()
    stub.write_text(
        f"""#!/bin/sh
case $1 in
build)
  printf '%s\\n' "$@" > {folder}/arguments
  for context; do :; done
  rm -rf {folder}/context
  cp -r "$context" {folder}/context ;;
image) echo 1500000000 ;;
esac
"""
    )
    stub.chmod(0o755)
    return stub.parent


def build(path: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/bash", str(BUILD)],
        env={"PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_build_sends_the_content_and_the_certificates_alone(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("a certificate\n")
    path = f"{docker_stub(tmp_path)}:{Path(sys.executable).parent}:/usr/bin:/bin"
    done = build(
        path, PIP_CERT=str(bundle), BASE_IMAGE="local/base:1", NETWORK="host", TARGET="both"
    )
    assert done.returncode == 0, done.stderr
    sent = {str(p.relative_to(tmp_path / "context")) for p in (tmp_path / "context").rglob("*")}
    files = {name for name in sent if (tmp_path / "context" / name).is_file()}
    expected = {str(p.relative_to(ROOT)) for p in image.content_files(ROOT)}
    assert files == expected | {"ca.crt"}
    arguments = (tmp_path / "arguments").read_text().splitlines()
    name = image.name(ROOT)
    assert {f"{name}-gpu", "BASE_IMAGE", f"CONTENT={name.split(':')[1]}", "host"} <= set(arguments)
    assert done.stdout.splitlines()[-2:] == [f"{name}  1.50 GB", f"{name}-gpu  1.50 GB"]


def test_build_says_what_is_missing(tmp_path: Path) -> None:
    wrong = build("/usr/bin:/bin", TARGET="tpu")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    tools = tmp_path / "tools"
    tools.mkdir()
    for program in ("dirname", "mktemp"):
        (tools / program).symlink_to(Path("/usr/bin") / program)
    absent = build(str(tools))
    assert absent.returncode == 3
    assert absent.stderr.startswith("There is no docker: install it")
    unreadable = build(f"{docker_stub(tmp_path)}:/usr/bin:/bin", CA_BUNDLE=str(tmp_path / "none"))
    assert (unreadable.returncode, "CA_BUNDLE" in unreadable.stderr) == (2, True)


def test_entry_is_transparent_where_it_is_not_the_first_process() -> None:
    command = [str(ROOT / "images" / "entry"), "sh", "-c", 'echo "$1"; exit 7', "sh", "a  b"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "a  b\n")


def test_programs_of_the_image_may_be_executed() -> None:
    for name in ("install", "entry"):
        assert (ROOT / "images" / name).stat().st_mode & 0o111
    assert not fnmatch.filter([path.name for path in (ROOT / "images").iterdir()], "*.crt")
