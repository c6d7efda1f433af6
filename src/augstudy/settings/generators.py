"""Settings of generators of labelled images: GANs and diffusion models."""

from typing import Literal

from pydantic import Field

from augstudy.settings.base import Precision, Settings
from augstudy.settings.spec import MOST_SIDE

OnFailure = Literal["stop", "skip"]


ON_FAILURE: tuple[OnFailure, ...] = ("stop", "skip")


class GeneratorSettings(Settings):
    """What all generators of labelled images have in common, and their training."""

    architecture: str = Field(description="name of the recipe whose networks to use")
    batch_size: int = Field(64, ge=2, multiple_of=2, description="real images per step")
    steps: int = Field(1500, ge=1, description="generator updates")
    learning_rate: float = Field(2e-4, gt=0, description="of the generator")
    final_rate: float = Field(1.0, gt=0, le=1, description="share of the rate at the end")
    ema: float = Field(0.99, ge=0, lt=1, description="decay per step of the averaged generator")
    flip: bool = Field(False, description="mirror half of the real images")
    shift: float = Field(
        0.0, ge=0, le=MOST_SIDE // 2, description="move images by up to this many pixels"
    )
    zoom: float = Field(0.0, ge=0, lt=1, description="scale images by up to this share")
    # At most 50: generators of moments nearer to each other would seem to stand still.
    evaluations: int = Field(
        8, ge=1, le=50, description="how often the training is checked and the generator scored"
    )
    precision: Precision = Field("auto", description="auto: bfloat16 on CPUs that are faster in it")


class GanSettings(GeneratorSettings):
    """An AC-GAN and how to train it. Real and generated images are moved and scaled alike."""

    architecture: str = Field("compact", description="name of the recipe whose networks to use")
    discriminator: str = Field(
        "", description="architecture of the discriminator, if it is not the generator's"
    )
    filter_size: int = Field(
        0,
        ge=0,
        le=MOST_SIDE,
        description="size of the discriminator's filters; 0 means that of the architecture",
    )
    spectral_norm: bool = Field(
        False, description="of the discriminator's weights, instead of batch normalisation"
    )
    latent_dim: int = Field(100, ge=1, description="length of the noise vector")
    discriminator_rate: float = Field(1.0, gt=0, description="times the generator's rate (TTUR)")
    beta_1: float = Field(0.5, ge=0, lt=1, description="of Adam, for both networks")
    beta_2: float = Field(0.999, ge=0, lt=1, description="of Adam, for both networks")
    loss: Literal["bce", "hinge"] = Field("bce", description="of the real-or-generated decision")
    class_loss: Literal["ac", "adc"] = Field(
        "ac", description="auxiliary classifier, or one that also separates real from generated"
    )
    class_weight: float = Field(1.0, ge=0, description="relative to the source loss")
    projection: float = Field(
        0.0, ge=0, description="how much an image's own class logit counts towards looking real"
    )
    variety: float = Field(
        0.0, ge=0, description="weight of the loss on images of a class that are too alike"
    )
    cutout: float = Field(
        0.0, ge=0, lt=1, description="side of a square that is blanked, as a share of the image's"
    )


class DiffusionSettings(GeneratorSettings):
    """A diffusion model, how to train it and how to draw with it.

    It is given how an image was mirrored, moved and scaled, so what it draws is none of these.
    """

    architecture: Literal["diffusion"] = "diffusion"
    width: int = Field(32, ge=8, multiple_of=8, description="channels at half the size of an image")
    beta_2: float = Field(0.99, ge=0, lt=1, description="of Adam")
    unlabelled: float = Field(
        0.1, ge=0, lt=1, description="share of the images that it trains on without their class"
    )
    guidance: float = Field(
        1.0, ge=0, description="strength of the classifier-free guidance; 0 turns it off"
    )
    sampling_steps: int = Field(16, ge=1, le=1000, description="calls of the denoiser per image")
