"""A pipeline small enough to compile in a moment, with parameters of every kind."""

from kfp import dsl


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def ingest(level: int):
    print(level)  # noqa: T201


@dsl.pipeline(name="small", description="For tests of what talks to a cluster.")
def small(
    source: str = "sample",
    train_per_class: int = 60,
    level: int = 0,
    share: float = 0.5,
    names: list[str] = ["a"],  # noqa: B006
    settings: dict = {"epochs": 3},  # noqa: B006
    gpus: int = 0,
):
    ingest(level=level)
