import json
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmarks_page_says_what_the_results_say():
    script = runpy.run_path(str(ROOT / "scripts" / "make_docs.py"))
    assert script["TARGET"].read_text() == script["page"](), "run: make docs"


def test_the_results_page_says_what_the_results_say():
    script = runpy.run_path(str(ROOT / "scripts" / "make_docs.py"))
    target = script["STUDIES_TARGET"]
    assert (target.read_text() if target.exists() else "") == script["studies"](), "run: make docs"


def test_the_settings_page_says_what_the_code_says():
    # In a process of its own: other tests add recipes.
    code = "import sys, settings_page; sys.stdout.write(settings_page.page())"
    scripts = ROOT / "scripts"
    page = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True)
    assert page.returncode == 0, page.stderr
    assert (ROOT / "docs" / "settings.md").read_text() == page.stdout, "run: make docs"


def test_the_generators_page_says_what_the_measurements_say():
    script = runpy.run_path(str(ROOT / "scripts" / "make_docs.py"))
    target = script["GENERATORS_TARGET"]
    assert (target.read_text() if target.exists() else "") == script["generators"](), (
        "run: make docs"
    )


def test_the_statistics_page_says_what_the_simulations_say():
    script = runpy.run_path(str(ROOT / "scripts" / "make_docs.py"))
    assert script["STATISTICS_TARGET"].read_text() == script["statistics"](), "run: make docs"


def test_the_readme_says_what_the_results_say():
    text = " ".join((ROOT / "README.md").read_text().split())
    for name, label in (("photos_sd", "pretrain"), ("photos_sd", "add:1"), ("photos_gan", "add:1")):
        level = json.loads((ROOT / "results" / f"{name}.json").read_text())["levels"][0]
        found, arms = level["differences"][label], level["arms"]
        change = [f"{100 * found[end]:+.1f}" for end in ("mean", "low", "high")]
        assert f"{change[1]} to {change[2]}" in text and change[0] in text
        if name == "photos_sd":
            for arm in ("real", label):
                assert f"{100 * arms[arm]['metrics']['accuracy']['value']:.1f}" in text
