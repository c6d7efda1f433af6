"""Random changes made alike to real and generated images, so that few real ones last longer.

Their distribution is one for both, and gradients flow through them to the generator (Zhao et al.
2020, "Differentiable augmentation for data-efficient GAN training"). Shifts and zooms along the
axes are products with interpolation matrices: deterministic, and nearly free on any backend.
"""

from typing import Any

from augstudy.models.backend import keras

ops = keras.ops


def mirror_half(images: Any, seed: Any) -> Any:
    """Mirror each of the `images` (N, H, W, C) left to right with probability one half."""
    coin = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=seed)
    return ops.where(coin < 0.5, images, ops.flip(images, axis=2))


def jitter(images: Any, shift: float, zoom: float, seed: Any, background: float | None) -> Any:
    """Move `images` (N, H, W, C) by :func:`draw_moves` of `shift` and `zoom`, see :func:`moved`."""
    return moved(images, draw_moves(ops.shape(images)[0], shift, zoom, seed), background)


def draw_moves(count: Any, shift: float, zoom: float, seed: Any) -> Any:
    """Draw (N, 4) random moves: offset and scale of the rows, then of the columns.

    Args:
        count: how many, N.
        shift: the offset is at most so many pixels, and not only whole ones.
        zoom: the scale is 1 - `zoom` to 1 + `zoom`, for each axis by itself.
        seed: a ``keras.random.SeedGenerator``.
    """
    limits = ((-shift, shift), (1.0 - zoom, 1.0 + zoom)) * 2
    columns = [keras.random.uniform((count, 1), *limit, seed=seed) for limit in limits]
    return ops.concatenate(columns, axis=1)


def moved(images: Any, moves: Any, background: float | None) -> Any:
    """Shift and scale float32 `images` (N, H, W, C) about their centre by `moves` (N, 4).

    What comes in from outside is `background`, or repeats the pixels at the edge if that is None.
    """
    height, width = images.shape[1:3]
    rows = _resampling(height, moves[:, 0], moves[:, 1], background is None)
    columns = _resampling(width, moves[:, 2], moves[:, 3], background is None)
    x = ops.transpose(images - background if background else images, (0, 3, 1, 2))
    x = ops.matmul(rows[:, None], x)
    x = ops.matmul(x, ops.transpose(columns, (0, 2, 1))[:, None])
    x = ops.transpose(x, (0, 2, 3, 1))
    return x + background if background else x


def cutout(images: Any, share: float, seed: Any, blank: float = 0.0) -> Any:
    """Blank a square of each of the `images` (N, H, W, C), anywhere, also half outside.

    Args:
        images: float32.
        share: side of the square over that of the image.
        seed: a ``keras.random.SeedGenerator``.
        blank: value of the pixels there.
    """
    count, (height, width) = ops.shape(images)[0], images.shape[1:3]
    rows = _far_from_a_point(count, height, share, seed)
    columns = _far_from_a_point(count, width, share, seed)
    kept = ops.logical_or(rows[:, :, None], columns[:, None, :])
    kept = ops.cast(kept[..., None], images.dtype)
    return (images - blank) * kept + blank if blank else images * kept


def _far_from_a_point(count: Any, size: int, share: float, seed: Any) -> Any:
    """Bool (N, size): is the middle of a pixel outside the stretch around a random point?"""
    point = keras.random.uniform((count, 1), 0.0, float(size), seed=seed)
    middle = ops.reshape(ops.arange(size, dtype="float32"), (1, size)) + 0.5
    return ops.abs(middle - point) > share * size / 2


def _resampling(size: int, offset: Any, scale: Any, edge: bool) -> Any:
    """Matrices (N, size, size) that interpolate linearly along one axis.

    Beyond its ends there is nothing, or the pixel at the `edge`.
    """
    offset, scale = offset[:, None, None], scale[:, None, None]
    centre = (size - 1) / 2
    place = ops.reshape(ops.arange(size, dtype="float32"), (1, size, 1))
    source = (place - centre) * scale + centre + offset
    if edge:
        source = ops.clip(source, 0.0, size - 1.0)
    target = ops.reshape(ops.arange(size, dtype="float32"), (1, 1, size))
    return ops.relu(1.0 - ops.abs(source - target))
