"""Commands on a cluster with Kubeflow Pipelines: submit a pipeline, schedule it."""

import os
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from augstudy.cli import options, remote, rounds
from augstudy.core.errors import InputError

if TYPE_CHECKING:
    from augstudy.local.parameters import Wanted

Gpus = Annotated[int | None, typer.Option(min=0, help="GPUs per training step; 0 means CPU nodes.")]
Experiment = Annotated[
    str, typer.Option(help="Experiment that groups the runs (default: the pipeline's name).")
]
Cache = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Reuse outputs of equal earlier steps.")
]
_PANEL = "On a cluster"
_PAUSED = (
    "Paused {number} schedule(s) of that name and did not delete them: a run of theirs is not "
    "over, and deleting the schedule would end it. Run the same command again when it is."
)


def submit(
    pipeline: options.Pipeline = "augmentation_study",
    preset: options.Preset = "",
    source: options.Source = None,
    synthetic: options.Synthetic = None,
    levels: Annotated[
        str, typer.Option(help="Real training images per class, one run each: '50 250'.")
    ] = "",
    arms: options.Arms = None,
    seeds: options.Seeds = None,
    max_hours: options.MaxHours = None,
    gpus: Gpus = None,
    settings: options.Settings = [],  # noqa: B006
    experiment: Experiment = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow the runs to their end.")] = False,
    poll: Annotated[float, typer.Option(min=0, help="Seconds between two checks.")] = 5.0,
    cache: Cache = True,
    pipeline_root: options.Root = None,
    host: options.Host = None,
    namespace: options.Namespace = None,
    token: options.Token = None,
    context: options.Context = "",
) -> None:
    """Run a pipeline on a cluster, once for each level.

    Compiles the pipeline, uploads it as a new version unless an equal one is there, creates the
    experiment if it is missing, starts the runs and prints where to see them.

    With --seeds auto, each round of seeds is a run: --wait follows it, and the next one starts
    until every synthetic arm has its verdict. Finished seeds are kept as checkpoints.

    Exit codes: 0 started (with --wait: all succeeded), 1 a run failed, 2 bad input, 3 KFP is
    unreachable or denies access.

    For example:

    augstudy submit --preset quick --host http://localhost:8080 --wait

    augstudy submit --preset low_data --levels "50 250" --gpus 1 --experiment levels

    augstudy submit --source gs://bucket/photos --seeds auto --max-hours 8 --wait
    """
    from augstudy.cluster import submit as submission
    from augstudy.local import catalog
    from augstudy.local.parameters import Wanted

    wanted = Wanted(pipeline, preset, source, arms, seeds, gpus, settings, synthetic)
    _choose_images(wanted.accelerators())
    rounds.check(wanted, wait, max_hours)
    runs = wanted.runs(wanted.levels(levels))
    server = remote.connect(host, namespace, token, pipeline_root)
    console = remote.plain_console()
    start = partial(
        submission.submit,
        server,
        catalog.load(pipeline),
        label=wanted.preset_name,
        experiment_name=experiment,
        caching=cache,
        say=lambda text: console.print(escape(text), soft_wrap=True),
    )
    if wanted.automatic:
        rounds.submit(server, context, console, runs, start, max_hours, poll)
        return
    started, steps = start(runs)
    compare = server.compare_link([run.run_id for run in started])
    if compare:
        console.print(f"Compare them: {compare}", soft_wrap=True, markup=False)
    if wait:
        rounds.follow_runs(server, started, steps, console, poll)


def apply(
    pipeline: options.Pipeline,
    cron: Annotated[
        str, typer.Option(help="Six fields, seconds first: '0 0 3 * * 1' is Monday at 3:00 UTC.")
    ],
    name: Annotated[
        str, typer.Option(help="Name of the schedule (default: the pipeline's name).")
    ] = "",
    preset: options.Preset = "",
    source: options.Source = None,
    synthetic: options.Synthetic = None,
    level: Annotated[int | None, typer.Option(help="Real training images per class.")] = None,
    arms: options.Arms = None,
    seeds: options.Seeds = None,
    gpus: Gpus = None,
    settings: options.Settings = [],  # noqa: B006
    experiment: Experiment = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace even an equal one: after upgrades of KFP.")
    ] = False,
    cache: Cache = True,
    pipeline_root: options.Root = None,
    host: options.Host = None,
    namespace: options.Namespace = None,
    token: options.Token = None,
) -> None:
    """Run a pipeline regularly: create its schedule, or replace it if it has changed.

    Two runs of a schedule never overlap, and runs that were missed are not made up for.

    Example: augstudy schedule retrain --cron "0 0 3 * * 1" --source gs://bucket/drawings
    """
    from augstudy.cluster import cron as crons
    from augstudy.cluster import schedule as schedules
    from augstudy.cluster import submit as submission
    from augstudy.cluster.kfp_api import Schedule
    from augstudy.local import catalog
    from augstudy.local.parameters import Wanted

    due = crons.parse(cron)
    wanted = Wanted(pipeline, preset, source, arms, seeds, gpus, settings, synthetic)
    _refuse_rounds(wanted)
    _choose_images(wanted.accelerators())
    values = wanted.values(level)
    server = remote.connect(host, namespace, token, pipeline_root)
    console = remote.plain_console()
    made, version, parent = submission.prepare(
        server,
        catalog.load(pipeline),
        experiment,
        cache,
        lambda text: console.print(escape(text), soft_wrap=True),
    )
    shall = Schedule(name or made.name, parent, version, values, due.text)
    outcome, schedule_id, others = schedules.apply(server, shall, replace)
    if more := others.deleted - (outcome == "replaced" and not others.paused):
        console.print(f"Deleted {more} other schedule(s) of the same name.")
    if others.paused:
        console.print(_PAUSED.format(number=others.paused), soft_wrap=True)
    link = server.schedule_link(schedule_id)
    console.print(f"Schedule {outcome}, {escape(_next(due))}: {escape(link)}", soft_wrap=True)


def list_(
    host: options.Host = None, namespace: options.Namespace = None, token: options.Token = None
) -> None:
    """List the schedules.

    Example: augstudy schedule list
    """
    server = remote.connect(host, namespace, token, None)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("schedule", "cron", "next (UTC)", "state", "version", "link"):
        table.add_column(heading, overflow="fold")
    for item in sorted(server.schedules(), key=lambda item: str(item.display_name)):
        reference = item.pipeline_version_reference
        cron = (
            item.trigger.cron_schedule.cron if item.trigger and item.trigger.cron_schedule else ""
        )
        table.add_row(
            escape(str(item.display_name)),
            escape(cron),
            _next_of(cron),
            str(item.status or "").lower(),
            str(reference.pipeline_version_id) if reference else "",
            server.schedule_link(str(item.recurring_run_id)),
        )
    remote.wide_console().print(table)


def delete(
    name: Annotated[str, typer.Argument(help="Name of the schedule, as 'schedule list' shows it.")],
    host: options.Host = None,
    namespace: options.Namespace = None,
    token: options.Token = None,
) -> None:
    """Delete a schedule; its runs stay. While one of them runs, the schedule is only paused.

    Example: augstudy schedule delete retrain
    """
    from augstudy.cluster import schedule as schedules

    gone = schedules.delete(remote.connect(host, namespace, token, None), name)
    console = remote.plain_console()
    if gone.deleted:
        console.print(f"Deleted {gone.deleted} schedule(s) named {escape(name)}.")
    if gone.paused:
        console.print(_PAUSED.format(number=gone.paused), soft_wrap=True)


class _ScheduleGroup(TyperGroup):
    """``schedule PIPELINE`` means ``schedule apply PIPELINE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["apply", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    options.add(app, "submit", submit, _PANEL)
    group = typer.Typer(cls=_ScheduleGroup, no_args_is_help=True)
    options.add(group, "apply", apply, "Commands")
    options.add(group, "list", list_, "Commands")
    options.add(group, "delete", delete, "Commands")
    text = (
        "Run a pipeline regularly: schedule PIPELINE --cron '0 0 3 * * 1', schedule list, "
        "schedule delete NAME."
    )
    app.add_typer(group, name="schedule", help=text, short_help=text, rich_help_panel=_PANEL)


def _refuse_rounds(wanted: "Wanted") -> None:
    if wanted.automatic:
        raise InputError(
            "A schedule runs the same study again and again: name its seeds, such as --seeds 0-4."
        )


def _choose_images(gpus: int | None) -> None:
    """Tell the pipelines, which choose their images when they are imported, about GPUs."""
    if gpus is not None:
        os.environ["AUGSTUDY_GPUS"] = str(gpus)


def _next(cron: Any) -> str:
    due = cron.after(datetime.now(timezone.utc))
    return f"next on {due:%A, %Y-%m-%d at %H:%M:%S} UTC" if due else "never due"


def _next_of(text: str) -> str:
    from augstudy.cluster import cron as crons

    try:
        due = crons.parse(text).after(datetime.now(timezone.utc))
    except InputError:
        return ""
    return f"{due:%a %Y-%m-%d %H:%M:%S}" if due else ""
