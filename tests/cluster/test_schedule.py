"""Schedules through the real command line: what is asked for is made true."""

from datetime import datetime, timezone
from pathlib import Path

import pytest
from kfp_server import KfpServer
from said import SMALL, Program

from augstudy.cluster import cron
from augstudy.core.errors import InputError

MONDAYS = ["--cron", "0 0 3 * * 1"]


def test_created_then_left_alone(kfp: KfpServer, program: Program) -> None:
    done = program("schedule", SMALL, *MONDAYS, "--set", "share=2")
    assert done.code == 0, done.err
    assert "Schedule created, next on Monday" in done.out
    (schedule,) = kfp.schedules.values()
    assert schedule["display_name"] == "small"
    assert schedule["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * 1"}}
    assert (schedule["max_concurrency"], schedule["no_catchup"]) == ("1", True)
    assert schedule["mode"] == "ENABLE"
    assert schedule["runtime_config"]["parameters"]["share"] == 2
    again = program("schedule", SMALL, *MONDAYS, "--set", "share=2")
    assert "Schedule unchanged" in again.out
    assert list(kfp.schedules.values()) == [schedule]
    assert kfp.requests["POST recurringruns"] == 1 and kfp.requests["DELETE recurringruns"] == 0


@pytest.mark.parametrize(
    "change",
    [
        ["--cron", "0 30 3 * * 1"],
        ["--set", "share=0.7"],
        ["--no-cache"],
        ["--experiment", "other"],
        ["--pipeline-root", "gs://bucket/runs"],
        ["--replace"],
    ],
)
def test_changed_is_replaced(kfp: KfpServer, program: Program, change: list[str]) -> None:
    assert program("schedule", SMALL, *MONDAYS).code == 0
    (before,) = kfp.schedules
    arguments = change if "--cron" in change else [*MONDAYS, *change]
    done = program("schedule", SMALL, *arguments)
    assert done.code == 0 and "Schedule replaced" in done.out
    (after,) = kfp.schedules
    assert after != before
    again = [item for item in arguments if item != "--replace"]
    assert "Schedule unchanged" in program("schedule", SMALL, *again).out


def test_disabled_is_replaced(kfp: KfpServer, program: Program) -> None:
    assert program("schedule", SMALL, *MONDAYS).code == 0
    (schedule,) = kfp.schedules.values()
    schedule["status"] = "DISABLED"
    assert "Schedule replaced" in program("schedule", SMALL, *MONDAYS).out


def test_a_run_that_is_not_over_is_not_ended_with_its_schedule(
    kfp: KfpServer, program: Program
) -> None:
    """Kubernetes deletes the workflows of a schedule with it, and KFP shows their runs for good."""
    assert program("schedule", SMALL, *MONDAYS).code == 0
    (old,) = kfp.schedules
    where = {"experiment_id": kfp.schedules[old]["experiment_id"], "recurring_run_id": old}
    when = "2026-11-02T03:00:00Z"
    run = {"run_id": "of-the-old", "created_at": when, "state": "RUNNING", **where}
    kfp.runs = {"of-the-old": {"display_name": "small", **run}}
    done = program("schedule", SMALL, *MONDAYS, "--set", "share=0.7")
    assert "Paused 1 schedule(s)" in done.out and "Schedule replaced" in done.out
    assert kfp.schedules[old]["status"] == "DISABLED" and len(kfp.schedules) == 2
    kfp.runs["of-the-old"]["state"] = "SUCCEEDED"
    done = program("schedule", SMALL, *MONDAYS, "--set", "share=0.7")
    assert "Deleted 1 other schedule(s)" in done.out and old not in kfp.schedules


def test_doubles_of_a_name_are_cleared(kfp: KfpServer, program: Program) -> None:
    assert program("schedule", SMALL, *MONDAYS).code == 0
    (schedule,) = kfp.schedules.values()
    kfp._keep(kfp.schedules, "recurring_run_id", {"display_name": "small", "status": "ENABLED"})
    done = program("schedule", SMALL, *MONDAYS)
    assert "Deleted 1 other schedule(s)" in done.out and "unchanged" in done.out
    assert list(kfp.schedules.values()) == [schedule]


def test_the_old_one_stays_where_the_new_one_is_refused(kfp: KfpServer, program: Program) -> None:
    assert program("schedule", SMALL, *MONDAYS).code == 0
    kfp.fail("POST recurringruns", 503)
    assert program("schedule", SMALL, "--cron", "@daily").code == 3
    assert [item["trigger"]["cron_schedule"]["cron"] for item in kfp.schedules.values()] == [
        MONDAYS[1]
    ]


def test_list_and_delete(kfp: KfpServer, program: Program) -> None:
    for name in ("one", "two"):
        assert program("schedule", SMALL, *MONDAYS, "--name", name).code == 0
    listed = program("schedule", "list")
    assert listed.code == 0, listed.err
    assert "one 0 0 3 * * 1 Mon " in listed.out and "two" in listed.out
    assert "enabled" in listed.out and f"{kfp.url}/#/recurringrun/details/" in listed.out
    assert program("schedule", "delete", "one").code == 0
    assert [item["display_name"] for item in kfp.schedules.values()] == ["two"]
    done = program("schedule", "delete", "one")
    assert done.code == 2 and done.err == "There is no schedule 'one'; there are: two."


def test_many_schedules_are_listed_over_pages(kfp: KfpServer, program: Program) -> None:
    for number in range(130):
        record = {"display_name": f"s{number}", "status": "ENABLED"}
        kfp._keep(kfp.schedules, "recurring_run_id", record)
    listed = program("schedule", "list")
    assert all(f"s{number} " in listed.out for number in range(130))


def test_several_users(kfp: KfpServer, program: Program) -> None:
    kfp.multi_user = True
    done = program("schedule", SMALL, *MONDAYS, "--namespace", "ada")
    assert done.code == 0, done.err
    (schedule,) = kfp.schedules.values()
    assert schedule["namespace"] == "ada"


def test_mistakes_are_told_before_anything_is_sent(kfp: KfpServer, program: Program) -> None:
    done = program("schedule", SMALL, "--cron", "0 3 * * 1")
    assert done.code == 2 and "write '0 0 3 * * 1'" in done.err
    done = program("schedule", SMALL, *MONDAYS, "--set", "shar=1")
    assert done.code == 2 and "did you mean share" in done.err
    assert not kfp.requests


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* * *", "has 3 fields, not six"),
        ("60 * * * * *", "second '60' in '60 \\* \\* \\* \\* \\*' must lie within 0 and 59"),
        ("0 0 24 * * *", "hour '24'"),
        ("0 0 0 0 * *", "day of month '0'"),
        ("0 0 0 * 13 *", "month '13'"),
        ("0 0 0 * * 7", "day of week '7'"),
        ("0 0 3-1 * * *", "ends before it begins"),
        ("0 */0 * * * *", "is no minute"),
        ("0 */x * * * *", "is no minute"),
        ("0 0 0 * * mo", "is no day of week"),
        ("0 0 0 1,,2 * *", "is no day of month"),
        ("0 0 0 30 feb *", "never due"),
        ("@weakly", "There is no '@weakly'"),
        ("@every ", "There is no '@every'"),
        ("@every 0s", "There is no '@every 0s'"),
        ("0 0 0 -1 * *", "is no day of month"),
        ("", "has 0 fields"),
    ],
)
def test_wrong_expressions(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        cron.parse(text)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("0 0 3 * * 1", "2026-11-30T03:00:00"),
        ("0 */5 * * * *", "2026-11-23T18:05:00"),
        ("0 0 0 1 jan ?", "2027-01-01T00:00:00"),
        ("0 30 8-18/2 * * MON-FRI", "2026-11-23T18:30:00"),
        ("0 0 12 29 2 *", "2028-02-29T12:00:00"),
        ("15,45 0 0 * * *", "2026-11-24T00:00:15"),
        ("0 0 0 1 * tue", "2026-11-24T00:00:00"),
        ("0 0 20/2 * * *", "2026-11-23T20:00:00"),
        ("@daily", "2026-11-24T00:00:00"),
        ("@weekly", "2026-11-29T00:00:00"),
        ("@every 1h30m", "2026-11-23T19:31:10"),
    ],
)
def test_when_it_is_due(text: str, due: str) -> None:
    """From a Monday, a minute past six in the evening."""
    now = datetime(2026, 11, 23, 18, 1, 10, 5, tzinfo=timezone.utc)
    found = cron.parse(text).after(now)
    assert found == datetime.fromisoformat(due).replace(tzinfo=timezone.utc)


def test_the_sdk_and_this_program_see_the_same_server(kfp: KfpServer, tmp_path: Path) -> None:
    """What KFP's own client does works against the server of these tests."""
    import warnings

    import kfp as sdk
    from kfp.client import client as sdk_client

    from augstudy.cluster.compile import compile_pipeline
    from augstudy.local import catalog

    target = tmp_path / "small.yaml"
    compile_pipeline(catalog.load(SMALL), target)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        absent = str(tmp_path / "context.json")
        patch.setattr(sdk_client.Client, "_LOCAL_KFP_CONTEXT", absent)
        client = sdk.Client(host=kfp.url)
        experiment = client.create_experiment("e")
        assert client.create_experiment("e").experiment_id == experiment.experiment_id
        pipeline = client.upload_pipeline(str(target), "p")
        assert client.get_pipeline_id("p") == pipeline.pipeline_id
        version = client.upload_pipeline_version(str(target), "p2", pipeline.pipeline_id)
        ids = (pipeline.pipeline_id, version.pipeline_version_id)
        run = client.run_pipeline(
            experiment.experiment_id,
            "r",
            params={"level": 5},
            pipeline_id=ids[0],
            version_id=ids[1],
        )
        done = client.wait_for_run_completion(run.run_id, timeout=60, sleep_duration=0)
        assert done.state == "SUCCEEDED"
        made = client.create_recurring_run(
            experiment.experiment_id,
            "s",
            cron_expression="0 0 3 * * 1",
            pipeline_id=ids[0],
            version_id=ids[1],
        )
        listed = client.list_recurring_runs(page_size=1).recurring_runs
        assert [item.recurring_run_id for item in listed] == [made.recurring_run_id]
        with pytest.raises(Exception, match="not required by pipeline: wrong"):
            client.create_run_from_pipeline_package(str(target), arguments={"wrong": 1})
        client.delete_recurring_run(made.recurring_run_id)
        assert not kfp.schedules
