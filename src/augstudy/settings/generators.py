"""Settings of generators of labelled images: GANs and diffusion models."""

from typing import Literal

from pydantic import Field

from augstudy.settings.base import Precision, Settings
from augstudy.settings.spec import IMAGE

OnFailure = Literal["stop", "skip"]


ON_FAILURE: tuple[OnFailure, ...] = ("stop", "skip")


class GeneratorSettings(Settings):
    """What all generators of labelled images have in common, and their training."""

    architecture: str = Field(description="networks of a recipe, by name")
    batch_size: int = Field(64, ge=2, multiple_of=2, description="real images a step")
    steps: int = Field(1500, ge=1, description="generator updates")
    learning_rate: float = Field(2e-4, gt=0, description="of the generator")
    final_rate: float = Field(1.0, gt=0, le=1, description="share of the rate left at the end")
    ema: float = Field(0.99, ge=0, lt=1, description="decay a step of the averaged generator")
    flip: bool = Field(False, description="mirror half of the real images")
    shift: float = Field(
        0.0, ge=0, le=IMAGE.height // 2, description="pixels by which images are moved"
    )
    zoom: float = Field(0.0, ge=0, lt=1, description="share by which images are scaled")
    # At most 50: generators of moments nearer to each other would seem to stand still.
    evaluations: int = Field(
        8, ge=1, le=50, description="times that the training is watched and the generator scored"
    )
    precision: Precision = Field("auto", description="auto is bfloat16 on CPUs that compute in it")


class GanSettings(GeneratorSettings):
    """An AC-GAN and how to train it. Moves and scales real and generated images alike."""

    architecture: str = Field("compact", description="networks of a recipe, by name")
    discriminator: str = Field(
        "", description="architecture of the discriminator, where it is not the generator's"
    )
    filter_size: int = Field(
        0,
        ge=0,
        le=IMAGE.height,
        description="side of the discriminator's filters; 0 is the architecture's",
    )
    spectral_norm: bool = Field(
        False, description="of the discriminator's weights, in the place of batch normalisation"
    )
    latent_dim: int = Field(100, ge=1, description="numbers of noise an image")
    discriminator_rate: float = Field(1.0, gt=0, description="times the generator's rate (TTUR)")
    beta_1: float = Field(0.5, ge=0, lt=1, description="of Adam, for both networks")
    beta_2: float = Field(0.999, ge=0, lt=1, description="of Adam, for both networks")
    loss: Literal["bce", "hinge"] = Field("bce", description="of telling real from generated")
    class_loss: Literal["ac", "adc"] = Field(
        "ac", description="auxiliary classifier, or one that tells real from generated as well"
    )
    class_weight: float = Field(1.0, ge=0, description="of the class loss beside the source loss")
    projection: float = Field(
        0.0, ge=0, description="how much an image's own class logit counts towards looking real"
    )
    variety: float = Field(
        0.0, ge=0, description="of the loss for images of a class being more alike than real ones"
    )
    cutout: float = Field(
        0.0, ge=0, lt=1, description="side of a square blanked in both, as a share of the image's"
    )


class DiffusionSettings(GeneratorSettings):
    """A diffusion model, how to train it and how to draw with it.

    It is told how an image was mirrored, moved and scaled, so what it draws is neither.
    """

    architecture: Literal["diffusion"] = "diffusion"
    width: int = Field(32, ge=8, multiple_of=8, description="channels at 14 x 14 pixels")
    beta_2: float = Field(0.99, ge=0, lt=1, description="of Adam")
    unlabelled: float = Field(
        0.1, ge=0, lt=1, description="share of images trained on without their class"
    )
    guidance: float = Field(
        1.0, ge=0, description="how far to go beyond what the class changes; 0 is without guidance"
    )
    sampling_steps: int = Field(16, ge=1, le=1000, description="denoiser calls an image")
