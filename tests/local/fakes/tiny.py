"""A pipeline of three steps that do as they are told, for tests of the runner."""

from kfp import dsl
from kfp.dsl import Artifact, Output


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def work(name: str, seconds: float, mode: str, out: Output[Artifact]):
    import os
    import time
    from pathlib import Path

    from augstudy.core import artifacts
    from augstudy.core.errors import DataError
    from augstudy.core.telemetry import stage
    from augstudy.steps.adapters import step

    threads = os.environ["AUGSTUDY_THREADS"], os.environ["AUGSTUDY_CELL_THREADS"]
    print("a word from the step", *threads)  # noqa: T201
    with step("work", name), stage("work", name) as me:
        with artifacts.publish(Path(out.path), "thing") as draft:
            me.progress(1, 2, "half")
            time.sleep(seconds)
            (draft / "file").write_text(name)
            if mode == "data":
                raise DataError("images.npy is cut short: get it again.")
            if mode == "bug":
                raise ValueError("a [bold] surprise")
            if mode == "kill":
                os.kill(os.getpid(), 9)
        me.progress(2, 2, "all")


@dsl.pipeline(name="tiny")
def tiny(names: list[str] = ["a", "b"], seconds: float = 0.0, mode: str = "ok"):  # noqa: B006
    first = work(name="first", seconds=0.0, mode="ok")
    with dsl.ParallelFor(names) as name:
        work(name=name, seconds=seconds, mode=mode).after(first)
