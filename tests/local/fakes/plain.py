"""A pipeline whose only step knows nothing of augstudy, and fails."""

from kfp import dsl


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def boom(number: int):
    raise RuntimeError(f"number {number} is wrong")


@dsl.pipeline(name="plain")
def plain(number: int = 1):
    boom(number=number)
