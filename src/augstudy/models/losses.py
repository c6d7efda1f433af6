"""The losses of an AC-GAN: pure functions of logits, labels and images."""

from typing import Any, Literal

from augstudy.models.backend import keras
from augstudy.models.sizes import doublings

ops = keras.ops
SourceLoss = Literal["bce", "hinge"]
ClassLoss = Literal["ac", "adc"]


def discriminator_source_loss(real: Any, fake: Any, loss: SourceLoss) -> Any:
    """Mean loss of telling real from fake, from logits of any shape."""
    if loss == "hinge":
        return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def generator_source_loss(fake: Any, loss: SourceLoss) -> Any:
    """Mean loss of not being taken for real."""
    return -ops.mean(fake) if loss == "hinge" else ops.mean(ops.softplus(-fake))


def cross_entropy(labels: Any, logits: Any) -> Any:
    """Mean cross entropy of int `labels` (N,) under `logits` (N, C)."""
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return ops.mean(losses)


def discriminator_class_loss(labels: Any, real: Any, fake: Any, loss: ClassLoss) -> Any:
    """Mean loss of telling the classes, from the class logits of real and generated images.

    ``ac``: real images alone, (N, C) logits (Odena et al. 2017, whose generated images teach the
    classifier as well; bad ones mislead it). ``adc``: (N, 2 C) logits, every class once as real
    and once as generated (Hou et al. 2022, ADC-GAN).
    """
    if loss == "ac":
        return cross_entropy(labels, real)
    return cross_entropy(labels, real) + cross_entropy(labels + real.shape[-1] // 2, fake)


def generator_class_loss(labels: Any, fake: Any, loss: ClassLoss) -> Any:
    """Mean loss of not showing the class that was asked for.

    ``adc`` rewards what tells a class's real images from its generated ones, not what makes the
    class easy to tell: that drives a generator to a few extreme images.
    """
    if loss == "ac":
        return cross_entropy(labels, fake)
    generated = labels + fake.shape[-1] // 2
    return cross_entropy(labels, fake) - cross_entropy(generated, fake)


def class_scores(logits: Any, loss: ClassLoss) -> Any:
    """Logits (N, C) of the classes, real or generated alike."""
    if loss == "ac":
        return logits
    half = logits.shape[-1] // 2
    return ops.logaddexp(logits[:, :half], logits[:, half:])


def variety_loss(real: Any, fake: Any) -> Any:
    """How much closer two generated images of a class are than two real ones: 1 alike, 0 as far.

    Both are (N, H, W, C), the second half showing the same classes as the first. Distances are
    taken on means of 4 x 4 pixels, or more in large images, where specks cannot pass for variety.
    """
    return ops.relu(1.0 - _pair_distance(fake) / (ops.stop_gradient(_pair_distance(real)) + 1e-3))


def _pair_distance(images: Any) -> Any:
    height, width, channels = images.shape[1:]
    side = 2 ** doublings(height, width)
    rows, columns = height // side, width // side
    whole = images[:, : rows * side, : columns * side]
    blocks = ops.reshape(whole, (-1, rows, side, columns, side, channels))
    coarse = ops.mean(blocks, axis=(2, 4))
    half = ops.shape(coarse)[0] // 2
    return ops.mean(ops.abs(coarse[:half] - coarse[half : 2 * half]))
