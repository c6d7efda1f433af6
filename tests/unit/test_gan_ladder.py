"""The ladder of GAN recipes: each rung changes one thing, and each learns the class asked for."""

import gan_toy
import on_jax
import pytest

from augstudy.models.gan_recipes import GANS, gan_recipe
from benchmarks.ladder import LADDER

ONE_THING = {
    "report_sn": {"spectral_norm", "loss"},
    "resnet_ema": {"architecture", "ema"},
    "diffaugment": {"shift", "cutout"},
    "projection": {"projection", "class_weight"},
    "adc": {"class_loss"},
}
# How long and how fast networks are trained goes with the networks.
SCHEDULE = {
    "latent_dim",
    "batch_size",
    "steps",
    "learning_rate",
    "final_rate",
    "discriminator_rate",
    "beta_1",
    "evaluations",
}


@pytest.mark.parametrize("name", ONE_THING)
def test_a_rung_differs_from_the_one_below_by_one_thing(name):
    below, _ = LADDER[name]
    old, new = (gan_recipe(item).model_dump() for item in (below, name))
    changed = {key for key in new if new[key] != old[key]}
    assert changed - SCHEDULE == ONE_THING[name]
    assert not changed & SCHEDULE or "architecture" in changed


def test_the_ladder_starts_at_the_report_and_every_rung_is_a_recipe():
    assert list(LADDER) == ["report", *ONE_THING]
    assert set(LADDER) <= set(GANS)
    report = gan_recipe("report")
    assert (report.architecture, report.loss, report.ema) == ("report", "bce", 0.0)


@pytest.mark.parametrize("name", [*LADDER, "compact"])
def test_tensorflow_draws_the_class_asked_for(name):
    assert min(gan_toy.small(name).values()) >= 0.95


def test_the_networks_of_compact_draw_the_class_asked_for():
    found = gan_toy.rung("compact", steps=40, batch_size=16, ema=0.9)
    assert min(found.values()) >= 0.95


def test_the_residual_networks_draw_the_class_asked_for():
    found = gan_toy.rung("adc", steps=30, ema=0.9, batch_size=8, learning_rate=2e-3)
    assert min(found.values()) >= 0.95


@pytest.mark.timeout(900)  # XLA compiles every network; on a busy machine that takes minutes
def test_jax_draws_the_class_asked_for():
    inside = ("report_sn", "resnet_ema")  # the rungs above have what these change
    rungs = [*(name for name in LADDER if name not in inside), "compact"]
    for name, found in on_jax.found(gan_toy, *rungs, **on_jax.UNOPTIMISED).items():
        assert min(found.values()) >= 0.95, name


@pytest.mark.timeout(900)
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_networks_of_the_recipes_train(backend):
    steps = on_jax.found(gan_toy, "networks") if backend == "jax" else gan_toy.stepped()
    assert set(steps) == {"report", "resnet_ema", "compact"}
    for name, found in steps.items():
        assert all(found.values()), (name, found)
