"""What the steps that end a run publish: results, the same as a page, and in a few words."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from augstudy.core import artifacts
from augstudy.core.artifacts import Artifact
from augstudy.pages import answers
from augstudy.results import files
from augstudy.results.files import AnySummary

KIND = "report"


def publish(
    out: Path,
    found: AnySummary,
    page: Callable[[], str],
    inputs: Mapping[str, Artifact],
    config: Mapping[str, Any] | None = None,
) -> Artifact:
    """Publish ``summary.json``, ``report.html`` and ``verdict.md``, as an artifact ``report``.

    It is made anew in every run and never taken from the cache: a page costs seconds, and its
    words change more often than the numbers do.

    Args:
        out: folder of the artifact.
        found: the results.
        page: makes the HTML page.
        inputs: what the results are of.
        config: what was asked of the step.
    """
    with artifacts.publish(out, KIND, inputs=inputs, config=config) as folder:
        files.write(folder, found)
        (folder / "verdict.md").write_text(answers.markdown(found), encoding="utf-8")
        (folder / "report.html").write_text(page(), encoding="utf-8")
    return artifacts.read(out, KIND)
