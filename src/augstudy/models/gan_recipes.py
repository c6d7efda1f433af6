"""Recipes of GANs: named settings that suit their networks."""

from collections.abc import Mapping
from typing import Any

from augstudy.core.registry import Registry
from augstudy.models.recipes import merged
from augstudy.settings.base import parse
from augstudy.settings.generators import DiffusionSettings, GanSettings, GeneratorSettings

GANS: Registry[dict[str, Any]] = Registry("GAN")

GANS.add(
    "compact",
    {
        "architecture": "compact",
        "spectral_norm": True,
        "latent_dim": 64,
        "batch_size": 64,
        "steps": 4000,
        "learning_rate": 2e-3,
        "final_rate": 0.1,
        "loss": "hinge",
        "projection": 0.5,
        "variety": 2.0,
        "shift": 2.0,
        "zoom": 0.1,
    },
)
GANS.add(
    "diffusion",
    {
        "architecture": "diffusion",
        "steps": 6000,
        "learning_rate": 2e-3,
        "final_rate": 0.05,
        "ema": 0.999,
        "flip": True,
        "shift": 2.0,
        "zoom": 0.1,
    },
)

GANS.add("report", {"architecture": "report", "ema": 0.0, "batch_size": 100, "steps": 2000})


def gan_recipe(name: str, overrides: Mapping[str, Any] | None = None) -> GeneratorSettings:
    """Settings of the GAN recipe `name`, with `overrides` on top.

    They are DiffusionSettings if its architecture is a diffusion model, else GanSettings.

    Raises:
        InputError: unknown recipe or setting, or a value out of range.
    """
    values = merged(GANS.find(name), overrides or {})
    diffuses = values.get("architecture") == "diffusion"
    return parse(DiffusionSettings if diffuses else GanSettings, values, f"GAN {name!r}")
