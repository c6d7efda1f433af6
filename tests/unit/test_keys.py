"""Cache keys depend on what decides a result and on nothing else, seen on changed copies of it.

A copy of the package is changed as somebody would change it, and a fresh process says the keys of
what each step would make (``tests/keys.py``).
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from augstudy.core.code import Code
from augstudy.core.errors import AugstudyError, InputError
from augstudy.core.registry import Registry

ROOT = Path(__file__).parents[2]
ONCE = '"""Another module."""\n'
Change = Callable[[Path], None]


def keys(package: Path) -> dict[str, str]:
    """The keys by name, of a copy of the package."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "keys.py")],
        env=os.environ | {"PYTHONPATH": str(package.parent), "AUGSTUDY_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("copy") / "augstudy"
    shutil.copytree(ROOT / "src" / "augstudy", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def before(package: Path) -> dict[str, str]:
    return keys(package)


@pytest.fixture
def changed(package: Path, before: dict[str, str]) -> Iterator[Callable[[Change], set[str]]]:
    """Names of the keys that a change makes others; the copy is mended afterwards."""
    kept = {path: path.read_bytes() for path in package.rglob("*") if path.suffix in (".py", ".j2")}

    def apply(change: Change) -> set[str]:
        change(package)
        after = keys(package)
        assert after.keys() == before.keys()
        return {name for name in after if after[name] != before[name]}

    yield apply
    for path in package.rglob("*.py"):
        if path not in kept:
            path.unlink()
    for path, content in kept.items():
        path.write_bytes(content)


def replaced(name: str, old: str, new: str) -> Change:
    def change(package: Path) -> None:
        text = (package / name).read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
        (package / name).write_text(text.replace(old, new))

    return change


def appended(name: str, text: str) -> Change:
    def change(package: Path) -> None:
        path = package / name
        path.write_text((path.read_text() if path.exists() else ONCE) + "\n\n" + text)

    return change


def every_docstring(package: Path) -> None:
    """Put other words into every docstring and every string that stands alone."""
    for path in package.rglob("*.py"):
        lines = path.read_text().splitlines()
        alone = (
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", 0), str)
        )
        for node in sorted(alone, key=lambda node: -node.lineno):
            indent = " " * node.col_offset
            lines[node.lineno - 1 : node.end_lineno] = [f'{indent}"""Other words."""']
        path.write_text("\n".join(["# A comment.", *lines]) + "\n")


def every_page(package: Path) -> None:
    """Change every text in what pages are made of, and so what they say, and every template."""
    for path in (package / "pages").rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value += "!"
        path.write_text(ast.unparse(tree))
    for path in (package / "pages").rglob("*.j2"):
        path.write_text(path.read_text() + "<p>More.</p>\n")


WORDS = {
    "title": replaced("pages/arms.py", '"Real images only"', '"Nothing but real images"'),
    "colour": replaced("pages/arms.py", '"#0f8a6d"', '"#0f8a6e"'),
    "title of a score": replaced(
        "pages/readings.py", '"Accuracy", "accuracy on', '"Right", "accuracy on'
    ),
    "description": replaced("settings/classifier.py", '"passes over the real images"', '"many"'),
    "every docstring": every_docstring,
    "comment": appended("models/classifiers.py", "# Another comment.\n"),
    "template": appended("pages/templates/report.html.j2", "<p>More.</p>\n"),
    "every page": every_page,
    "error": replaced("training/gan.py", "has no image to train a GAN on", "is empty"),
    "log": replaced("steps/train_gan.py", "The generator at step %d", "After step %d"),
    "registry's error": replaced("core/registry.py", "choose another name", "take another"),
    "what carries": appended("core/telemetry.py", "ANOTHER = 1\n"),
}


@pytest.mark.parametrize("what", WORDS)
def test_what_a_reader_sees_is_in_no_key(what, changed):
    assert changed(WORDS[what]) == set()


ARM = """
@KINDS.register(most=1.0, synthetic=True)
def dreamt(mixer: Mixer) -> Drawings:
    return mixer.synthetic()
"""
SCORE = """
@SCORES.register(share=False)
def lift(counts: Counts) -> "Floats":
    return _mean(recall(counts)) / _share(counts)


def _share(counts: Counts) -> "Floats":
    return counts.support.mean(axis=-1)
"""
FIGURE = """
@FIGURES.register(direction="as real")
def ink(reference: Seen, images: Seen) -> float:
    return float(images.images.mean() / reference.images.mean())
"""
NETWORK = """
@{registry}.register()
def another({arguments}) -> Any:
    return _helped({first})


def _helped(given: Any) -> Any:
    return given
"""
SOURCE = """
from augstudy.data.sources.base import FORMATS, Source


@FORMATS.register(".zip", example="gs://bucket/drawings.zip")
class ZipSource(Source):
    pass
"""
DRAWS = {f"{what} {recipe}" for what in ("draw", "swept") for recipe in ("compact", "report")}
DRAWS |= {"draw diffusion", "swept diffusion"}
EVALUATED = {
    f"evaluate {arm}"
    for arm in (
        *("real modern", "real baseline", "real kernel_5"),
        *("classic baseline", "add baseline"),
    )
}
ENTRIES = {
    "arm": (appended("settings/arms.py", ARM), set()),
    "classifier": (
        appended(
            "models/classifiers.py",
            NETWORK.format(
                registry="ARCHITECTURES", arguments="layers: Any, classes: int", first="layers"
            ),
        ),
        set(),
    ),
    "variation of the report's classifier": (
        appended("models/classifiers.py", 'ARCHITECTURES.add("wide", _SAME, **_REPORT)\n'),
        set(),
    ),
    "generator": (
        appended(
            "models/generators.py",
            NETWORK.format(
                registry="GENERATORS", arguments="noise: Any, labels: Any, classes: int", first="1"
            ),
        ),
        set(),
    ),
    "discriminator": (
        appended(
            "models/discriminators.py",
            NETWORK.format(
                registry="DISCRIMINATORS", arguments="images: Any, kit: Kit", first="images"
            ),
        ),
        set(),
    ),
    "recipe": (appended("models/gan_recipes.py", 'GANS.add("mine", GANS["report"])\n'), set()),
    "source": (appended("data/sources/archive.py", SOURCE), set()),
    "figure": (appended("metrics/figures.py", FIGURE), DRAWS),  # all are measured
    "score": (appended("metrics/scores.py", SCORE), EVALUATED),  # all are computed
}


@pytest.mark.parametrize("what", ENTRIES)
def test_what_is_added_changes_no_key_of_what_does_not_use_it(what, changed):
    change, wanted = ENTRIES[what]
    assert changed(change) == wanted


# The judge of these keys is modern_small; those who look through its eyes depend on it.
JUDGED = {"judge", *DRAWS, "gan compact", "gan report", "gan diffusion"}
CELLS = {name.removeprefix("evaluate ") for name in EVALUATED}
KERNELS = {
    "the stem of modern": (
        replaced(
            "models/classifiers.py",
            "from _normalised(layers, stem, 5, 2)",
            "from _normalised(layers, stem, 3, 2)",
        ),
        {"real modern", "curate", *JUDGED},
    ),
    "one of the report's classifiers": (
        replaced(
            "models/classifiers.py",
            'ARCHITECTURES.add("kernel_5", replace(_SAME, kernels=(5, 5, 5))',
            'ARCHITECTURES.add("kernel_5", replace(_SAME, kernels=(5, 5, 3))',
        ),
        {"real kernel_5"},
    ),
    "all of the report's classifiers": (
        replaced(
            "models/classifiers.py",
            "kernels: tuple[int, ...] = (3, 3, 3)",
            "kernels: tuple[int, ...] = (5, 3, 3)",
        ),
        CELLS - {"real modern"},
    ),
    "a generator": (
        replaced(
            "models/generators.py",
            "layers.Conv2DTranspose(filters, 4, 2",
            "layers.Conv2DTranspose(filters, 6, 2",
        ),
        {"gan compact", "swept compact"},
    ),
    "a discriminator": (
        replaced("models/discriminators.py", "kernels = (15, 15, 10", "kernels = (13, 15, 10"),
        {"gan report", "swept report"},
    ),
    "the denoiser": (
        replaced("models/denoiser.py", "kernel: int = 3, stride", "kernel: int = 5, stride"),
        {"gan diffusion", "swept diffusion", "draw diffusion"},
    ),
}


@pytest.mark.parametrize("what", KERNELS)
def test_a_changed_network_changes_the_keys_that_depend_on_it(what, changed):
    change, wanted = KERNELS[what]
    assert changed(change) == wanted


RULES = {
    "the rules of an arm": (
        replaced("settings/arms.py", 'against=("same_steps", "extra_real")', "classic=True"),
        {"add baseline", "evaluate add baseline"},
    ),
    "how an arm is put together": (
        replaced("data/mixtures.py", "def synthetic(self)", "def synthetic(self, _: int = 0)"),
        CELLS,
    ),
    "the share that arms take": (
        replaced("settings/arms.py", "MOST_SHARE = 10.0", "MOST_SHARE = 5.0"),
        CELLS | EVALUATED,
    ),
    "the augmentation of an arm": (
        replaced("settings/classifier.py", "rotation=15", "rotation=20"),
        CELLS | EVALUATED | JUDGED | {"curate"} | {f"cam {name}" for name in CELLS},
    ),
    "the augmentation of a recipe": (
        replaced("models/classifiers.py", '"rotation": 10', '"rotation": 20'),
        {"real modern", "evaluate real modern", "cam real modern", "curate", *JUDGED},
    ),
    "the steps of a recipe": (
        replaced("models/gan_recipes.py", '"steps": 6000', '"steps": 5000'),
        {"gan diffusion", "swept diffusion", "draw diffusion"},
    ),
    "a figure": (
        replaced("metrics/generative.py", "DENSITY_K = ", "DENSITY_K = 1 + "),
        DRAWS,
    ),
}


@pytest.mark.parametrize("what", RULES)
def test_a_changed_rule_changes_the_keys_that_use_it(what, changed):
    change, wanted = RULES[what]
    assert changed(change) == wanted


def test_a_registry_refuses_a_name_that_it_has():
    things: Registry[str] = Registry("thing")
    things.add("one", "first")
    with pytest.raises(AugstudyError, match="already is thing 'one'"):
        things.add("one", "second")
    with pytest.raises(AugstudyError, match="already is thing 'one'"):
        things.register("one")(str)
    assert things == {"one": "first"}
    with pytest.raises(InputError, match="no thing 'ome'; did you mean 'one'"):
        things.find("ome")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings/arms.py", ARM.replace("dreamt", "real")),
        ("models/gan_recipes.py", 'GANS.add("compact", {})\n'),
        ("metrics/scores.py", SCORE.replace("lift", "accuracy")),
        ("metrics/figures.py", FIGURE.replace("ink", "diversity")),
        ("data/sources/sample.py", SOURCE.replace(".zip", "sample")),
        ("models/classifiers.py", 'ARCHITECTURES.add("modern", _SAME, **_REPORT)\n'),
    ],
)
def test_what_is_added_under_a_name_that_is_taken_is_refused(name, text, package, changed):
    appended(name, text)(package)
    module = f"augstudy.{name.removesuffix('.py').replace('/', '.')}"
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env=os.environ | {"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "choose another name" in done.stderr


def test_code_that_goes_through_a_registry_depends_on_all_of_it(tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "kinds.py").write_text("KINDS = Registry('kind')\nKINDS.add('a', 1)\n")
    versions = {}
    for text in ("KINDS[name]", "KINDS.find(name)", "KINDS['a']", "list(KINDS)", "KINDS.items()"):
        step = f"from augstudy.kinds import KINDS\n\ndef run(name):\n    {text}\n"
        (tmp_path / "steps" / "go.py").write_text(step)
        one = Code(tmp_path).version("go", frozenset())
        with (tmp_path / "more.py").open("w") as more:
            more.write("from augstudy.kinds import KINDS\nKINDS.add('b', 2)\n")
        versions[text] = Code(tmp_path).version("go", frozenset()) != one
        assert Code(tmp_path).version("go", frozenset({"b"})) != one
        (tmp_path / "more.py").unlink()
    named = ("KINDS[name]", "KINDS.find(name)")
    assert versions == {text: text not in named for text in versions}
