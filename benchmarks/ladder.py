"""The rungs between the student report's GAN and the recipes of the product: what each thing buys.

Their networks and losses are the product's, where any sweep of generators can choose them.
"""

from typing import Any

from augstudy.models.gan_recipes import GANS

# Each rung: the one below, and what it changes.
LADDER: dict[str, tuple[str, dict[str, Any]]] = {
    "report": ("", {}),
    "report_sn": ("report", {"spectral_norm": True, "loss": "hinge"}),
    "resnet_ema": (
        "report_sn",
        {
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
    ),
    "diffaugment": ("resnet_ema", {"shift": 3.5, "cutout": 0.4}),
    "projection": ("diffaugment", {"projection": 1.0, "class_weight": 0.0}),
    "adc": ("diffaugment", {"class_loss": "adc"}),
}
ORDER = [*LADDER, *(recipe for recipe in GANS if recipe not in LADDER)]


def register() -> None:
    """Make every rung a recipe that ``gan_recipe`` knows."""
    for name, (below, changes) in LADDER.items():
        if name not in GANS:
            GANS[name] = {**GANS[below], **changes}
