"""A pipeline with names for people, a loop, retries and a deadline, compiled in a moment."""

from kfp import dsl, kubernetes


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def ingest(level: int):
    print(level)  # noqa: T201


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def evaluate(level: int):
    print(level)  # noqa: T201


@dsl.pipeline(
    name="forked",
    description="For tests of what follows a run.",
    pipeline_config=dsl.PipelineConfig(active_deadline_seconds=7200),
)
def forked(level: int = 0):
    first = ingest(level=level).set_retry(2)
    base = evaluate(level=level).after(first).set_retry(2).set_display_name("evaluate base")
    kubernetes.set_timeout(base, 600)
    chosen = evaluate(level=level).after(base).set_retry(2).set_display_name("evaluate chosen")
    with dsl.ParallelFor(items=[1, 2], name="cells") as item:
        evaluate(level=item).after(chosen).set_retry(2).set_display_name("evaluate cell")
