"""Recipes of GANs: named settings that suit their networks."""

from collections.abc import Mapping
from typing import Any

from augstudy.core.registry import Registry
from augstudy.models.recipes import merged
from augstudy.settings.base import parse
from augstudy.settings.generators import DiffusionSettings, GanSettings, GeneratorSettings

GANS: Registry[dict[str, Any]] = Registry("GAN")
# The ladder, from the student report's GAN upwards: each rung, and the one below that it changes.
LADDER: Registry[str] = Registry("rung")

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

LADDER.add("report", "")
GANS.add("report", {"architecture": "report", "ema": 0.0, "batch_size": 100, "steps": 2000})
LADDER.add("report_sn", "report")
GANS.add("report_sn", {**GANS["report"], "spectral_norm": True, "loss": "hinge"})
LADDER.add("resnet_ema", "report_sn")
GANS.add(
    "resnet_ema",
    {
        **GANS["report_sn"],
        "architecture": "resnet",
        "ema": 0.999,
        # What suits these networks, tens of times quicker than the report's.
        "latent_dim": 64,
        "batch_size": 64,
        "steps": 12_000,
        "learning_rate": 1e-3,
        "final_rate": 0.1,
        "evaluations": 16,
    },
)
LADDER.add("diffaugment", "resnet_ema")
GANS.add("diffaugment", {**GANS["resnet_ema"], "shift": 3.5, "cutout": 0.4})
LADDER.add("projection", "diffaugment")
GANS.add("projection", {**GANS["diffaugment"], "projection": 1.0, "class_weight": 0.0})
LADDER.add("adc", "diffaugment")
GANS.add("adc", {**GANS["diffaugment"], "class_loss": "adc"})


def gan_recipe(name: str, overrides: Mapping[str, Any] | None = None) -> GeneratorSettings:
    """Settings of the GAN recipe `name`, with `overrides` on top.

    They are DiffusionSettings if its architecture is a diffusion model, else GanSettings.

    Raises:
        InputError: unknown recipe or setting, or a value out of range.
    """
    values = merged(GANS.find(name), overrides or {})
    diffuses = values.get("architecture") == "diffusion"
    return parse(DiffusionSettings if diffuses else GanSettings, values, f"GAN {name!r}")
