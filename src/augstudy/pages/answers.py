"""The answer of a run in a few words, and its numbers as tables: for terminal, Markdown, pages.

The answers of studies, sweeps of classifiers and sweeps of generators are all made here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from augstudy.core import outlets
from augstudy.pages import classes, readings, sets, stability, suspicions, verdicts, wording
from augstudy.pages.formats import points
from augstudy.results.files import AnySummary
from augstudy.results.models import GeneratorSweep, Mean, Retraining, Study, Sweep
from augstudy.results.parts import Change, Compared
from augstudy.stats.codes import SCORES
from augstudy.tuning.sweep import BASE

REFERENCE = "reference"
SHARES = ("recall", "coverage", "cas", "gan_test")  # figures of generators


@dataclass(frozen=True)
class Answer:
    """The answer in a word, and the sentence below it."""

    answer: str
    sentence: str


@dataclass(frozen=True)
class Column:
    """A column of figures; a `wide` one has no room in a terminal."""

    title: str
    wide: bool = False
    number: bool = True


@dataclass(frozen=True)
class Line:
    """A row: what it is about, its figures, and the verdict as a code and in words."""

    label: str
    title: str
    cells: tuple[str, ...]
    code: str
    words: str


@dataclass(frozen=True)
class Grid:
    """A table: its first and its last heading, and what stands between them."""

    first: str
    columns: tuple[Column, ...]
    last: str
    lines: tuple[Line, ...]


def answer(found: AnySummary) -> Answer:
    """The answer to the question of a run."""
    if isinstance(found, Study):
        return _of_study(found)
    return _of_sweep(found) if isinstance(found, Sweep) else _of_generators(found)


def grids(found: AnySummary) -> list[Grid]:
    """What was compared, a row per arm or a point; and what claims came to."""
    if isinstance(found, Study):
        return [_arms(found)]
    if isinstance(found, GeneratorSweep):
        return [_generators(found)]
    return [_points(found), *([_findings(found)] if found.findings else [])]


def markdown(found: AnySummary) -> str:
    """Answer, tables and notes as a short Markdown text."""
    said = answer(found)
    lines = [f"## {outlets.markdown(said.answer)}", "", outlets.markdown(said.sentence)]
    for grid in grids(found):
        headings = [grid.first, *(column.title for column in grid.columns), grid.last]
        lines += ["", _row(headings), _row(["---"] * len(headings))]
        lines += [
            _row(map(outlets.markdown, (line.title, *line.cells, line.words)))
            for line in grid.lines
        ]
    for note in ("Brackets: 95 % intervals.", *(_notes(found) if isinstance(found, Study) else ())):
        lines += ["", outlets.markdown(note)]
    return "\n".join(lines) + "\n"


def promotion(found: Retraining) -> str:
    """What a retraining decided, as Markdown."""
    head = "Promoted" if found.promoted else "Held"
    reason, now = outlets.markdown(verdicts.promotion(found)), outlets.code(str(found.champion))
    lines = [f"# {head}", "", reason, "", f"In force: {now}."]
    if compared := found.comparison:
        span = f"{points(compared.low)} to {points(compared.high)}"
        before = outlets.code(str(found.before))
        lines += [
            "",
            f"| on {compared.images} test images | {readings.metric(compared.metric).text} |",
            "| --- | --- |",
            f"| champion {before} | {wording.percent(compared.champion)} |",
            f"| challenger | {wording.percent(compared.challenger)} |",
            f"| difference, points | {points(compared.difference)} ({span}) |",
        ]
        if compared.excluded:
            lines += [
                "",
                f"{compared.excluded} more test images were left out for both, because the "
                "champion has learnt from them.",
            ]
    if found.drift:
        lines += ["", "| ink histogram | stability index |", "| --- | --- |"]
        lines += [
            f"| {outlets.markdown(what)} | {index:.3f} |" for what, index in found.drift.items()
        ]
    return "\n".join(lines) + "\n"


def readable(point: str) -> str:
    """The id of a point for people: ``kernel=5x5`` is ``kernel 5x5``."""
    return point.replace("=", " ").replace("_", " ").replace(",", ", ")


def shown(metric: str, found: Mean | None) -> str:
    """A figure of a generator for people; nothing where there is none."""
    if found is None:
        return ""
    value = found.mean
    if metric in SHARES:
        return wording.percent(value)
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.4f}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _of_study(found: Study) -> Answer:
    label, arms = found.headline.arm, found.arms
    real = wording.percent(found.score("real").value)
    metric = readings.metric(found.metric).text
    if label is None:
        reached = real if found.metric == "accuracy" else f"a {metric} of {real}"
        said = f"Real images alone reach {reached} on unseen images; nothing was compared."
        if not arms["real"].learnt:
            return Answer("The classifier has learnt nothing.", f"{said} {verdicts.GUESSING}")
        return Answer("Baseline", said)
    difference, arm = found.differences[label], arms[label]
    judged = [name for name in found.differences if wording.answers(arms[name].arm)]
    verb = {"helps": "raises", "hurts": "lowers"}.get(difference.verdict, "takes")
    span = f"{points(difference.low)} to {points(difference.high)}"
    said = (
        f"{wording.subject_of(arm)} {verb} {metric} from {real} to "
        f"{wording.percent(found.score(label).value)} ({points(difference.mean)} points, "
        f"95 % interval {span})."
    )
    if len(judged) > 1:
        said = f"Best of {len(judged)} synthetic arms: {said[0].lower()}{said[1:]}"
    outcome = verdicts.outcome(difference, found.margin)
    word = {
        "helps": "Yes, synthetic images help." if judged else "Yes, this helps.",
        "hurts": "No, synthetic images hurt." if judged else "No, this hurts.",
        "no difference": f"{_capital(outcome)}.",
        verdicts.AT_CHANCE: "Can't tell: the classifier has learnt nothing.",
    }.get(difference.verdict, "Can't tell yet.")
    if difference.verdict == verdicts.AT_CHANCE:
        said = f"{said} {verdicts.GUESSING}"
    return Answer(word, " ".join([said, *sets.copied(found)]))


def _of_sweep(found: Sweep) -> Answer:
    name, test = found.chosen, found.test
    base, best = (
        wording.percent(scores[SCORES[found.metric]].value) for scores in (test.base, test.chosen)
    )
    if found.metric != "accuracy":
        best = f"a {readings.metric(found.metric).text} of {best}"
    tried = wording.counted(len(found.points) - 1, "point")
    if found.search:
        tried = f"{len(found.search.trials)} trials ({found.search.pruned} stopped early)"
    if name == BASE:
        finalists = f"the finalists of {tried}" if found.search else tried
        return Answer(
            "Nothing beats the base.",
            f"None of {finalists} does better on validation images than the base, which reaches "
            f"{base} on unseen images.",
        )
    change = test.difference
    span = f"{points(change.low)} to {points(change.high)}"
    word = {
        "helps": "Yes: {} is better than the base.",
        "hurts": "No: {} looked best, but is worse on unseen images.",
        "no difference": "No difference that matters: {} is as good as the base.",
        verdicts.AT_CHANCE: "{} looks best; can't tell, as a classifier has learnt nothing.",
    }.get(change.verdict, "{} looks best; can't tell yet whether it beats the base.")
    said = (
        f"Of {tried}, it does best on validation images. On unseen images it reaches "
        f"{best}, and the base {base}: {points(change.mean)} points (95 % interval {span})."
    )
    if change.verdict == verdicts.AT_CHANCE:
        said = f"{said} {verdicts.GUESSING}"
    return Answer(word.format(readable(name)), said)


def _of_generators(found: GeneratorSweep) -> Answer:
    name, tried = found.chosen, found.points
    stable = sum(point.stable for point in tried.values())
    counted = f"{stable} of {wording.counted(len(tried), 'point')} train stably with every seed"
    if name is None:
        return Answer("No generator can be recommended.", f"{counted}.")
    value = tried[name].metrics[found.metric].mean
    said = f"{counted}; of these, it has the lowest FID-QD, {value:.1f}"
    if name == BASE:
        return Answer("Nothing beats the base.", f"{said}.")
    base = tried[BASE].metrics.get(found.metric)
    against = f" (the base {base.mean:.1f})" if base else " (a run of the base failed)"
    word = {
        "better": "{} is better than the base.",
        # Else the base would have been chosen.
        "worse": "{} is the best that trains stably; the base draws better, but is not stable.",
    }.get(
        found.differences[name].verdict,
        "{} looks best; can't tell yet whether it beats the base.",
    )
    return Answer(_capital(word.format(readable(name))), f"{said}{against}.")


def _arms(found: Study) -> Grid:
    lines = []
    for label, arm in found.arms.items():
        score, difference = found.score(label), found.differences.get(label)
        value, low, high = (f"{100 * share:.1f}" for share in (score.value, score.low, score.high))
        p_value = wording.p_text(difference.p_holm) if difference else ""
        macro = arm.metrics.get("f1_macro")
        further = f"{100 * macro.value:.1f}" if macro else "", wording.worst(arm)
        cells = (f"{value} ({low} to {high})", _change(difference), p_value, *further)
        words = verdicts.outcome(difference, found.margin) if difference else REFERENCE
        lines.append(Line(label, wording.title_of(arm), cells, _code(difference), words))
    columns = (
        Column(f"{readings.metric(found.metric).title}, %"),
        Column("Minus real, points"),
        Column("p", wide=True),
        Column("Macro F1, %", wide=True),
        Column("Worst class, recall", wide=True),
    )
    return Grid("Arm", columns, "Verdict", tuple(lines))


def _points(found: Sweep) -> Grid:
    lines = []
    for name, point in found.points.items():
        difference = found.differences.get(name)
        cells = (f"{100 * point.val_accuracy:.1f}", _change(difference))
        code = _code(difference)
        lines.append(Line(name, readable(name), cells, code, code))
    columns = Column("Validation, %"), Column("Minus base, points")
    return Grid("Point", columns, "Verdict", tuple(lines))


def _findings(found: Sweep) -> Grid:
    lines = (
        Line(item.claim, item.claim, (_change(item.difference),), item.judgement, item.judgement)
        for item in found.findings
    )
    return Grid("Finding", (Column("Difference, points", wide=True),), "Here it", tuple(lines))


def _generators(found: GeneratorSweep) -> Grid:
    lines = []
    for name, point in found.points.items():
        record = found.differences.get(name)
        change = record.metrics.get(found.metric) if record else None
        span = ""
        if change and len(point.seeds) > 1:
            span = f"{change.mean:+.1f} ({change.low:+.1f} to {change.high:+.1f})"
        value, cas = (shown(metric, point.metrics.get(metric)) for metric in (found.metric, "cas"))
        cells = (", ".join(point.verdicts), value, cas, span)
        code = record.verdict if record else REFERENCE
        lines.append(Line(name, readable(name), cells, code, code))
    columns = (
        Column("Training", number=False),
        Column("FID-QD"),
        Column("CAS", wide=True),
        Column("Minus base"),
    )
    return Grid("Point", columns, "Verdict", tuple(lines))


def _notes(found: Study) -> Iterator[str]:
    """What a reader of the table of a study should know."""
    data = found.data
    yield (
        f"{len(data.classes)} classes, {data.level} real training images per class, "
        f"{wording.counted(found.seeds_each, 'seed')}, {data.images['test']} test images. "
        "p-values are corrected for the number of arms (Holm)."
    )
    yield from wording.repeated(data, found.seeds_each)
    yield from wording.grouped(found)
    yield from map(suspicions.sentence, data.suspicions)
    yield from wording.left_out(found.left_out)
    if guessing := [label for label, arm in found.arms.items() if not arm.learnt]:
        yield f"No better than guessing: {', '.join(guessing)}."
    else:
        yield verdicts.forecast(found.power)
    yield from sets.ranked(found)
    yield from classes.changed(found)
    for name, item in found.sets.items():
        if told := item.stability:
            who = f"Generator of {name}" if len(found.sets) > 1 else "GAN"
            yield f"{who}: {told.verdict}. {stability.reason(told.model_dump())}"


def remarks(found: AnySummary) -> list[str]:
    """What a reader of the table in a terminal should know beside it."""
    if not isinstance(found, Study):
        return []
    return [*wording.looks(found), *wording.grouped(found), *classes.changed(found)]


def _code(found: Compared | None) -> str:
    return found.verdict if found else REFERENCE


def _change(found: Change | None) -> str:
    return wording.change(found) if found else ""


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
