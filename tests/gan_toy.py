"""Toy generators that every backend must learn; run as a script, it prints findings as JSON.

    python gan_toy.py [networks | RUNG ...]

The toys themselves; or a few steps of the recipes' own networks; or what the toy's networks learn
with the settings of rungs of the ladder.
"""

import json
import sys
from pathlib import Path

import numpy as np

from augstudy.models import discriminators, generators
from augstudy.models.backend import keras, prepare
from augstudy.models.conditional import ConditionalNorm
from augstudy.models.gan_recipes import gan_recipe
from augstudy.settings.generators import DiffusionSettings, GanSettings
from augstudy.settings.spec import DRAWING
from augstudy.training import gan
from augstudy.training.drawing import generate

sys.path.append(str(Path(__file__).parents[1]))
from benchmarks.ladder import register

layers = keras.layers
register()
SETTINGS = GanSettings(
    architecture="toy",
    spectral_norm=True,
    steps=75,
    batch_size=16,
    latent_dim=8,
    learning_rate=4e-3,
    loss="hinge",
    variety=1.0,
    ema=0.9,
    shift=1.0,
    precision="float32",
)
DIFFUSION = DiffusionSettings(
    steps=125,
    batch_size=32,
    width=8,
    learning_rate=8e-3,
    final_rate=0.1,
    ema=0.95,
    shift=1.0,
    guidance=0.0,
    sampling_steps=6,
    precision="float32",
)


def _generator(noise, labels, classes, spec):
    embedding = layers.Embedding(classes, 8, name="generator_embedding")(labels)
    code = layers.Concatenate(name="generator_code")([noise, embedding])
    x = layers.Dense(7 * 7 * 8, name="generator_dense")(code)
    x = layers.Reshape((7, 7, 8), name="generator_reshape")(x)
    x = ConditionalNorm(name="generator_norm")([x, code])
    x = layers.ReLU(name="generator_relu")(x)
    ink = layers.Conv2DTranspose(1, 4, 4, activation="sigmoid", name="generator_ink")
    return ink(x)


def _discriminator(images, kit):
    x = layers.Rescaling(1 / 255, name="discriminator_rescale")(images)
    x = kit.leaky(kit.conv(x, 8, 4, 4, "conv"), 0.2, "leaky")
    return layers.Flatten(name="discriminator_flatten")(x)


generators.GENERATORS.add("toy", _generator)
discriminators.DISCRIMINATORS.add("toy", _discriminator)


def bars(count: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Class 0: an upright bar in the left half; class 1: in the right half. Uint8 and int32."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(2, dtype=np.int32), count // 2)
    images = np.zeros((count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        left = 14 * label + random.integers(3, 8)
        image[random.integers(2, 6) : 24, left : left + 4] = 255
    return images, labels


def side(images: np.ndarray) -> np.ndarray:
    """The half with more ink, 0 or 1, of each image: knows nothing of any model."""
    return (images[:, :, 14:].sum((1, 2)) > images[:, :, :14].sum((1, 2))).astype(int)


def moved_weights(silenced: str) -> dict[str, bool]:
    """Which network one step moves if the other loss (`silenced`) is nought."""
    settings = SETTINGS.model_copy(update={"variety": 0.0})  # belongs to the generator's loss
    model = gan.build(settings, DRAWING, classes=2, seed=0)
    setattr(model, silenced, lambda *_: keras.ops.zeros(()))
    model.compile(optimizer=keras.optimizers.SGD(1.0), jit_compile=False)
    networks = {"generator": model.generator, "discriminator": model.discriminator}
    before = {name: _trained(network) for name, network in networks.items()}
    images, labels = bars(16)
    model.train_on_batch({"images": images[..., None], "labels": labels})
    return {
        name: any((old != new).any() for old, new in zip(before[name], _trained(item), strict=True))
        for name, item in networks.items()
    }


def _trained(network) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(item.value).copy() for item in network.trainable_variables]


def learned() -> dict[str, float]:
    """Train on the bars; how many images show the bar of the class asked for."""
    images, labels = bars()
    trained = gan.train(SETTINGS, images, labels, DRAWING, classes=2, seed=0)
    wanted = np.arange(64) % 2
    drawn = generate(trained.generator, wanted, seed=1)
    return {"right": float(np.mean(side(drawn) == wanted)), "ink": float(drawn.mean() / 255)}


def rung(name: str, **overrides: object) -> dict[str, float]:
    """Learn the bars as a rung of the ladder; asked for each class, how many images show it?

    What an image shows is for a classifier to say that knows real bars, and no GAN.
    """
    from sklearn.linear_model import LogisticRegression

    quick = {"batch_size": 16, "precision": "float32", "evaluations": 1}
    images, labels = bars()
    settings = gan_recipe(name, {**quick, **overrides})
    trained = gan.train(settings, images, labels, DRAWING, classes=2, seed=0)
    classifier = LogisticRegression().fit(images.reshape(-1, 784) / 255, labels)
    drawn = generate(trained.generator, np.repeat([0, 1], 32), seed=1)
    shown = classifier.predict(drawn.reshape(-1, 784) / 255)
    return {"left": float(np.mean(shown[:32] == 0)), "right": float(np.mean(shown[32:] == 1))}


def small(name: str) -> dict[str, float]:
    """The rung with the toy's networks, and rates that suit those."""
    networks = {"architecture": "toy", "latent_dim": 8, "learning_rate": 4e-3, "final_rate": 1.0}
    averaged = gan_recipe(name).ema > 0
    return rung(name, **networks, steps=100, ema=0.9 if averaged else 0.0)


def stepped() -> dict[str, dict[str, bool]]:
    """Two steps of all networks of recipes: are losses finite, and do both networks move?"""
    found = {}
    images, labels = bars(8)
    # One in bfloat16, where the CPU has it: XLA takes twice as long to compile that.
    networks = {"report": "float32", "resnet_ema": "float32", "compact": "auto"}
    for name, precision in networks.items():
        few = {"batch_size": 4, "steps": 2, "evaluations": 1, "precision": precision}
        settings = gan_recipe(name, few)
        prepare(0)  # as the training begins
        fresh = gan.build(settings, DRAWING, classes=2, seed=0)
        trained = gan.train(settings, images, labels, DRAWING, classes=2, seed=0)
        losses = [row[key] for row in trained.history for key in row if key.endswith("_loss")]
        found[name] = {
            "finite": bool(np.isfinite(losses).all()),
            "generator": _differ(fresh.average, trained.generator),
            "discriminator": _differ(fresh.discriminator, trained.discriminator),
        }
    return found


def _differ(one, other) -> bool:
    """Whether a kernel does; running means would move without learning, too."""
    kernels = [
        [keras.ops.convert_to_numpy(item) for item in network.weights if "kernel" in item.path]
        for network in (one, other)
    ]
    return any((mine != theirs).any() for mine, theirs in zip(*kernels, strict=True))


def diffused() -> dict[str, float]:
    """Train on bars of which every fourth is labelled wrong; how many drawn ones are as asked for.

    Without guidance a model of the data must draw every fourth wrong as well.
    """
    images, labels = bars(64)
    labels = np.where(np.arange(len(labels)) % 4 == 0, 1 - labels, labels)
    trained = gan.train(DIFFUSION, images, labels, DRAWING, classes=2, seed=0)
    wanted = np.arange(128) % 2
    right = {}
    for guidance in (0.0, 3.0):
        trained.generator.get_layer("sampler").guidance = guidance
        drawn = generate(trained.generator, wanted, seed=1)
        right[f"guidance_{guidance:g}"] = float(np.mean(side(drawn) == wanted))
    return {**right, "ink": float(drawn.mean() / 255)}


def findings() -> dict[str, object]:
    """Everything a backend must show."""
    return {
        "backend": keras.backend.backend(),
        "only_discriminator": moved_weights("_generator_loss"),
        "only_generator": moved_weights("_discriminator_loss"),
        "learned": learned(),
        "diffused": diffused(),
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["networks"]:
        json.dump(stepped(), sys.stdout)
    else:
        json.dump({name: small(name) for name in sys.argv[1:]} or findings(), sys.stdout)
