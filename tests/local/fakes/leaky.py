"""A pipeline whose only step says all that it knows, as libraries that quote an answer do."""

from kfp import dsl
from kfp.dsl import Artifact, Output


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def tell(source: str, mode: str, out: Output[Artifact]):
    import json
    import logging
    import os
    import sys
    from pathlib import Path

    from augstudy.core import artifacts
    from augstudy.core.telemetry import stage
    from augstudy.steps.adapters import step

    known = json.loads(Path(os.environ["LEAKED"]).read_text())
    with step("tell"), stage("tell") as me:
        for text in known:
            print(text)  # noqa: T201
            logging.getLogger("augstudy").info("heard %s", text)
            sys.stderr.write(f"{text}\n")
            me.progress(1, 2, text[:200])
        with artifacts.publish(Path(out.path), "thing") as draft:
            (draft / "file").write_text("made")
        if mode == "bug":
            raise ValueError("\n".join(known))


@dsl.pipeline(name="leaky")
def leaky(source: str = "sample", mode: str = "ok"):
    tell(source=source, mode=mode)
