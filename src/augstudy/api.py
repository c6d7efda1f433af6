"""Studies from Python, in a script or a notebook: ``augstudy.study(real="photos/")``.

A study runs in processes of its own, as ``augstudy run`` runs it: in the same run folders, with the
same cache. So one that was interrupted goes on where it stopped when it is called again.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from augstudy.core import outlets
from augstudy.core.errors import InputError
from augstudy.core.files import replace_bytes
from augstudy.local.handed import address_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from augstudy.results.models import Study
    from augstudy.runs.compare import Comparison as Compared

Images: TypeAlias = "str | os.PathLike[str] | tuple[np.ndarray, np.ndarray] | pd.DataFrame"


@dataclass(frozen=True)
class StudyResult:
    """What a study found, and the folder of its run.

    Notebooks show it as a table with the answer above it.
    """

    folder: Path

    @cached_property
    def found(self) -> "Study":
        """All results, typed and frozen.

        Raises:
            InputError: the folder holds no finished study.
            DataError: its results are damaged.
        """
        from augstudy.results import files
        from augstudy.results.models import Study

        found = files.read_summary(self.folder)
        if not isinstance(found, Study):
            raise InputError(f"{self.folder} holds no finished study: name the folder of its run.")
        return found

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        from augstudy.pages import answers

        return answers.answer(self.found).answer

    @property
    def verdicts(self) -> dict[str, str]:
        """The code of the verdict on each arm, such as ``helps``."""
        return {label: item.verdict for label, item in self.found.differences.items()}

    @property
    def report(self) -> Path:
        """The report: one HTML page, which needs no network."""
        return self.folder / "report.html"

    def table(self) -> "pd.DataFrame":
        """One row per arm: accuracy and difference to ``real``, shares with 95 % intervals."""
        import pandas as pd

        lines = []
        for label, arm in self.found.arms.items():
            score, change = arm.accuracy, self.found.differences.get(label)
            line: dict[str, Any] = {"arm": label, "training_images": arm.training_images}
            line |= {"seeds": len(arm.seeds), "accuracy": score.value}
            line |= {"accuracy_low": score.low, "accuracy_high": score.high}
            if change:
                line |= {"difference": change.mean, "difference_low": change.low}
                line |= {"difference_high": change.high, "p": change.p_holm}
                line |= {"verdict": change.verdict}
            lines.append(line)
        return pd.DataFrame(lines).set_index("arm")

    def compare(self, *others: "StudyResult | str") -> "ArmsCompared":
        """Compare arms with the first one named: of this study, or of others in the same folder.

        Args:
            others: Arms of this study, such as ``"real", "add:1"``; or another study, which stands
                for all its arms. Without any, all arms of this study.

        Raises:
            InputError: there are not two to eight different arms, or one does not exist.
        """
        from augstudy.runs.compare import compare
        from augstudy.runs.folder import RunsFolder
        from augstudy.runs.shelf import of_store

        kept = RunsFolder(self.folder.parent)
        own = int(self.folder.name)
        names = [f"{own}:{item}" for item in others if isinstance(item, str)] or [str(own)]
        names += [str(int(item.folder.name)) for item in others if isinstance(item, StudyResult)]
        return ArmsCompared(compare(kept.records(), of_store(kept.store), names))

    def _repr_html_(self) -> str:
        from augstudy.pages import notebook

        return notebook.study(self.found, self.report)


@dataclass(frozen=True)
class ArmsCompared:
    """Arms side by side; ``found`` has the numbers, and notebooks show it as a page."""

    found: "Compared"

    def table(self) -> "pd.DataFrame":
        """One row per arm but the first: its difference in accuracy to the first, as a share."""
        import pandas as pd

        lines = []
        for item in self.found.differences:
            line: dict[str, Any] = {"arm": item.label, "unlike": item.unlike or None}
            if item.found:
                line |= {"difference": item.found.mean, "low": item.found.low}
                line |= {"high": item.found.high, "p": item.found.p_holm}
                line |= {"verdict": item.found.verdict}
            lines.append(line)
        return pd.DataFrame(lines).set_index("arm")

    def save(self, path: "str | os.PathLike[str]") -> Path:
        """Write the comparison as one HTML page."""
        from augstudy.pages.comparison_page import page

        replace_bytes(Path(path), page(self.found).encode())
        return Path(path)

    def _repr_html_(self) -> str:
        from augstudy.pages import notebook
        from augstudy.pages.comparison_page import page

        return notebook.framed(page(self.found))


@dataclass(frozen=True)
class LevelsResult:
    """A study at several levels: ``studies``, one per level, and the page on all of them."""

    studies: tuple[StudyResult, ...]
    report: Path

    def table(self) -> "pd.DataFrame":
        """The tables of all studies, with the level in front."""
        import pandas as pd

        tables = {study.found.data.level: study.table() for study in self.studies}
        return pd.concat(tables, names=["level"])

    def _repr_html_(self) -> str:
        from augstudy.pages import notebook

        return notebook.framed(self.report.read_text(encoding="utf-8"))


def study(
    real: "Images" = "sample",
    *,
    synthetic: "Images | dict[str, Images] | None" = None,
    levels: "int | Sequence[int] | None" = None,
    arms: "str | Iterable[str] | None" = None,
    seeds: "int | str | Sequence[int] | None" = None,
    max_hours: float | None = None,
    preset: str = "",
    runs: "str | os.PathLike[str]" = "runs",
    note: str = "",
    threads: int = 0,
    cache: bool = True,
    quiet: bool = False,
    track: str = "",
    **settings: Any,
) -> "StudyResult | LevelsResult":
    """Would synthetic images help a classifier of these images? Run a study to its end.

    Args:
        real: Labelled images: a folder of class folders, another source or its address (see
            docs/images.md); ``(images, labels)`` as arrays, uint8 (N, height, width) or
            (N, height, width, 3) and N labels; or a pandas frame with the columns ``path`` and
            ``label``, and ``group`` and ``split`` if there are any.
        synthetic: Synthetic images: those of a folder or another source, in any form that `real`
            may have, or a recipe of a generator such as ``"compact"``; several by name, as in
            ``{"sd": "sd15/", "gan": "compact"}``.
        levels: Real training images per class; several give one study per level.
        arms: How training sets are made, such as ``"real,classic,add:1"`` or a list of these.
        seeds: How many repetitions, or their seeds; or ``"auto"``, which adds seeds until every
            synthetic arm has its verdict, up to 12 or as in ``"auto:20"``.
        max_hours: With ``seeds="auto"``, begin no round of seeds that would end later than this.
        preset: Name of a set of parameters, such as ``"quick"``, or the path of a YAML file.
        runs: Folder of the runs.
        note: Kept with the run.
        threads: Processor threads; 0 means all.
        cache: Take over what earlier runs in the folder made.
        quiet: Print no progress.
        track: Address of an MLflow server that every finished run is sent to, by default that in
            ``AUGSTUDY_TRACK``.
        settings: Any other parameter of the pipeline ``augmentation_study``; see docs/settings.md.

    Returns:
        A :class:`StudyResult`, or with several levels a :class:`LevelsResult`.

    Raises:
        AugstudyError: what was asked for cannot be done, or a step failed; one sentence says why.
        KeyboardInterrupt: the study was interrupted; call again to go on.
    """
    from augstudy.core.stopping import Interrupted
    from augstudy.local import parameters, runner
    from augstudy.local.series import Series
    from augstudy.runs import rounds

    folder = Path(runs)
    given = {"source": address_of(real, folder), **settings}
    if synthetic is not None:
        given["sets"] = _sets(synthetic, folder)
    if arms is not None:
        given["arms"] = _arms(arms)
    typed = seeds if isinstance(seeds, str) else None
    if seeds is not None and typed is None:
        given["seeds"] = list(range(seeds)) if isinstance(seeds, int) else [*seeds]
    single = [levels] if isinstance(levels, int) else None
    wanted = parameters.Wanted("augmentation_study", preset, seeds=typed, given=given)
    chosen = single or (list(levels) if levels is not None else wanted.levels())  # type: ignore[arg-type]
    several = len(chosen) > 1
    asked = wanted.runs(chosen) if several else [wanted.values(chosen[0] if chosen else None)]
    console = outlets.console(quiet=quiet, highlight=False)
    series, done = Series(chosen), []

    def once(values: Mapping[str, Any]) -> rounds.Finished[runner.Result]:
        return runner.run(
            "augmentation_study",
            values,
            runs=folder,
            console=console,
            note=note,
            preset=wanted.preset_name,
            threads=threads,
            cache=(folder / ".cache") if cache else None,
            base=wanted.base(),
            series=series if several else None,
            track=track,
        ).finished

    try:
        for values in asked:
            result = rounds.run(values, once, lambda _: None, max_hours).run
            done.append(StudyResult(result.folder))
            if several:
                series.add(result.folder)
    except Interrupted as stop:
        raise KeyboardInterrupt("The study was interrupted: call again to go on.") from stop
    return LevelsResult(tuple(done), series.page) if several else done[0]


def _arms(arms: "str | Iterable[str]") -> list[dict[str, Any]]:
    from augstudy.settings.parsing import parse_arms

    return parse_arms(arms if isinstance(arms, str) else ",".join(arms))


def _sets(synthetic: Any, runs: Path) -> list[dict[str, Any]]:
    from augstudy.models.gan_recipes import GANS
    from augstudy.settings.sets import parse_sets

    if isinstance(synthetic, str):
        return parse_sets(synthetic, [*GANS])
    if not isinstance(synthetic, dict):
        return [{"set": "synthetic", "source": address_of(synthetic, runs)}]
    return [
        {"set": name, "gan": item}
        if isinstance(item, str) and item in GANS
        else {"set": name, "source": address_of(item, runs)}
        for name, item in synthetic.items()
    ]


def load(folder: "str | os.PathLike[str]") -> StudyResult:
    """The result of a finished study, by the folder of its run, such as ``runs/0003``."""
    result = StudyResult(Path(folder).absolute())
    _ = result.found
    return result
