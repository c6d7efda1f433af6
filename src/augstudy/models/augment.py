"""Random changes made alike to real and generated images, so that few real ones last longer.

Their distribution is one for both, and gradients flow through them to the generator (Zhao et al.
2020, "Differentiable augmentation for data-efficient GAN training"). Shifts and zooms along the
axes are products with interpolation matrices: deterministic, and nearly free on any backend.
"""

from typing import Any

from augstudy.backend import keras

ops = keras.ops


def mirror_half(images: Any, seed: Any) -> Any:
    """Mirror each of the `images` (N, H, W, 1) left to right with probability one half."""
    coin = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=seed)
    return ops.where(coin < 0.5, images, ops.flip(images, axis=2))


def jitter(images: Any, shift: float, zoom: float, seed: Any) -> Any:
    """Shift by at most `shift` pixels and scale by 1 - `zoom` to 1 + `zoom`, each axis by itself.

    Args:
        images: float32 (N, H, W, 1).
        shift: in pixels, uniform and not only whole ones.
        zoom: as a share.
        seed: a ``keras.random.SeedGenerator``.
    """
    count, (height, width) = ops.shape(images)[0], images.shape[1:3]
    rows = _resampling(count, height, shift, zoom, seed)
    columns = _resampling(count, width, shift, zoom, seed)
    x = ops.matmul(rows, ops.squeeze(images, -1))
    x = ops.matmul(x, ops.transpose(columns, (0, 2, 1)))
    return ops.expand_dims(x, -1)


def cutout(images: Any, share: float, seed: Any) -> Any:
    """Blank a square of each of the `images` (N, H, W, 1), anywhere, also half outside.

    Args:
        images: float32, 0 is blank.
        share: side of the square over that of the image.
        seed: a ``keras.random.SeedGenerator``.
    """
    count, (height, width) = ops.shape(images)[0], images.shape[1:3]
    rows = _far_from_a_point(count, height, share, seed)
    columns = _far_from_a_point(count, width, share, seed)
    kept = ops.logical_or(rows[:, :, None], columns[:, None, :])
    return images * ops.cast(kept[..., None], images.dtype)


def _far_from_a_point(count: Any, size: int, share: float, seed: Any) -> Any:
    """Bool (N, size): is the middle of a pixel outside the stretch around a random point?"""
    point = keras.random.uniform((count, 1), 0.0, float(size), seed=seed)
    middle = ops.reshape(ops.arange(size, dtype="float32"), (1, size)) + 0.5
    return ops.abs(middle - point) > share * size / 2


def _resampling(count: Any, size: int, shift: float, zoom: float, seed: Any) -> Any:
    """Matrices (N, size, size) that interpolate linearly along one axis, empty beyond its ends."""
    offset = keras.random.uniform((count, 1, 1), -shift, shift, seed=seed)
    scale = keras.random.uniform((count, 1, 1), 1.0 - zoom, 1.0 + zoom, seed=seed)
    centre = (size - 1) / 2
    place = ops.reshape(ops.arange(size, dtype="float32"), (1, size, 1))
    source = (place - centre) * scale + centre + offset
    target = ops.reshape(ops.arange(size, dtype="float32"), (1, 1, size))
    return ops.relu(1.0 - ops.abs(source - target))
