"""The network of the diffusion model: a small U-Net that sees squares of pixels as channels.

Nearly all its work is in dense 3 x 3 convolutions, which CPUs with bf16 units and GPUs do fastest.
"""

import math
from collections.abc import Sequence
from typing import Any

from augstudy.models.backend import keras
from augstudy.models.sizes import doublings

ops, layers = keras.ops, keras.layers

FREQUENCIES = 16
CODE_WIDTH = 128
CHANGES = 5  # what an image was changed by: mirrored or not, and the four numbers of a move
_HEAD = 24


def build(classes: int, shape: tuple[int, int, int], width: int, precision: str) -> keras.Model:
    """Build the network: ``[images, angles, labels, changes]`` -> velocity.

    Inputs are float32 (N, height, width, channels) noisy images, (N,) noise angles in 0 to pi / 2,
    int32 (N,) labels where `classes` stands for no class, and float32 (N, 5) changes, zeros for
    none. The output is float32 like the images.

    Args:
        classes: how many there are.
        shape: height, width and channels of an image.
        width: channels where a place stands for a square of 2 x 2 pixels, or of 4 x 4 or 8 x 8 in
            large images (see :func:`doublings`); there are three times as many at half the size.
        precision: dtype policy of the layers, for example ``mixed_bfloat16``.
    """
    images = keras.Input(shape, name="images")
    angles = keras.Input((), name="angles")
    labels = keras.Input((), dtype="int32", name="labels")
    changes = keras.Input((CHANGES,), name="changes")
    net = _Parts(precision)
    code = net.code(angles, labels, changes, classes)
    side = 2 ** (doublings(*shape[:2]) - 1)
    edges = [_edges(pixels, 2 * side) for pixels in shape[:2]]
    x = net.conv(_to_channels(_padded(ops.cast(images, net.dtype), edges), side), width)
    skipped = net.block(x, code)
    x = net.conv(skipped, 3 * width, stride=2)
    x = net.block(x, code)
    x = net.attention(x)
    x = net.block(x, code)
    x = _to_pixels(net.conv(x, 4 * width, kernel=1), 2) + skipped
    x = net.block(x, code)
    x = net.conv(net.shaped(x, code), side * side * shape[2], zeros=True)
    velocity = _cropped(ops.cast(_to_pixels(x, side), "float32"), edges)
    return keras.Model([images, angles, labels, changes], velocity, name="denoiser")


class _Parts:
    """Makes the parts of the network, all of one precision."""

    def __init__(self, precision: str) -> None:
        self.policy = keras.dtype_policies.get(precision)
        self.dtype = self.policy.compute_dtype

    def code(self, angles: Any, labels: Any, changes: Any, classes: int) -> Any:
        """What the blocks are told, (N, 128)."""
        usual = keras.initializers.RandomNormal(0.0, 1.0)
        noise = layers.Dense(CODE_WIDTH, dtype=self.policy)(_waves(angles))
        kind = layers.Embedding(
            classes + 1, CODE_WIDTH, embeddings_initializer=usual, dtype=self.policy
        )(labels)
        change = layers.Dense(CODE_WIDTH, use_bias=False, dtype=self.policy)(changes)
        x = ops.silu(noise + kind + change)
        return ops.silu(layers.Dense(CODE_WIDTH, dtype=self.policy)(x))

    def conv(
        self, x: Any, filters: int, kernel: int = 3, stride: int = 1, zeros: bool = False
    ) -> Any:
        """A convolution; with `zeros` it starts out giving nothing."""
        start = "zeros" if zeros else "glorot_uniform"
        return layers.Conv2D(
            filters, kernel, stride, "same", kernel_initializer=start, dtype=self.policy
        )(x)

    def shaped(self, x: Any, code: Any) -> Any:
        """Normalised, scaled and shifted by the code, and rectified."""
        return ops.relu(CodedNorm(dtype=self.policy)([x, code]))

    def block(self, x: Any, code: Any) -> Any:
        """A residual block of two convolutions."""
        inner = self.conv(self.shaped(x, code), x.shape[-1])
        return x + self.conv(self.shaped(inner, code), x.shape[-1], zeros=True)

    def attention(self, x: Any) -> Any:
        """A residual self-attention over all places."""
        height, width, channels = x.shape[1:]
        shape = (-1, height * width, 3, channels // _HEAD, _HEAD)
        parts = ops.transpose(ops.reshape(self.conv(x, 3 * channels, 1), shape), (2, 0, 3, 1, 4))
        asked, known, told = parts[0], parts[1], parts[2]
        scores = ops.matmul(asked * _HEAD**-0.5, ops.transpose(known, (0, 1, 3, 2)))
        seen = ops.transpose(ops.matmul(ops.softmax(scores), told), (0, 2, 1, 3))
        seen = ops.reshape(seen, (-1, height, width, channels))
        return x + self.conv(seen, channels, 1, zeros=True)


@keras.saving.register_keras_serializable(package="augstudy")
class CodedNorm(keras.layers.Layer):
    """Normalise (N, H, W, C) in groups of channels, then scale and shift by a (N, K) code.

    All of it is folded into one multiplication and one addition a pixel.
    """

    def __init__(self, groups: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = groups

    def build(self, input_shape: list[tuple[int, ...]]) -> None:
        """Create the weights for ``[images, code]`` of `input_shape`."""
        channels, width = input_shape[0][-1], input_shape[1][-1]
        self.kernel = self.add_weight(
            shape=(width, 2 * channels), initializer="zeros", name="kernel"
        )

    def call(self, inputs: list[Any]) -> Any:
        """Normalise ``inputs[0]`` (N, H, W, C) and shape it by ``inputs[1]`` (N, K)."""
        images, code = inputs
        channels = images.shape[-1]
        by_group = (-1, 2, self.groups, channels // self.groups)
        told = ops.reshape(ops.cast(ops.matmul(code, self.kernel), "float32"), by_group)
        mean = self._by_group(ops.mean(images, axis=(1, 2)))
        square = self._by_group(ops.mean(ops.square(images), axis=(1, 2)))
        variance = ops.maximum(square - ops.square(mean), 0.0)
        scale = (1.0 + told[:, 0]) * ops.rsqrt(variance + 1e-4)
        offset = told[:, 1] - mean * scale
        return images * self._per_pixel(scale) + self._per_pixel(offset)

    def _by_group(self, values: Any) -> Any:
        """Means (N, G, 1) of the groups of (N, C) channels."""
        grouped = ops.reshape(
            ops.cast(values, "float32"), (-1, self.groups, values.shape[-1] // self.groups)
        )
        return ops.mean(grouped, axis=-1, keepdims=True)

    def _per_pixel(self, values: Any) -> Any:
        flat = (-1, 1, 1, values.shape[1] * values.shape[2])
        return ops.reshape(ops.cast(values, self.compute_dtype), flat)

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        return {**super().get_config(), "groups": self.groups}


def _waves(angles: Any) -> Any:
    """Angles (N,) as sines and cosines of several frequencies, (N, 2 * FREQUENCIES)."""
    steps = [math.exp(math.log(64.0) * i / (FREQUENCIES - 1)) for i in range(FREQUENCIES)]
    turned = angles[:, None] * ops.convert_to_tensor([steps], dtype="float32")
    return ops.concatenate([ops.sin(turned), ops.cos(turned)], axis=-1)


def _to_channels(x: Any, side: int) -> Any:
    """(N, H, W, C) -> (N, H / S, W / S, S^2 C): pixels of a square side by side."""
    height, width, channels = x.shape[1:]
    x = ops.reshape(x, (-1, height // side, side, width // side, side, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, height // side, width // side, side * side * channels))


def _to_pixels(x: Any, side: int) -> Any:
    """Undo :func:`_to_channels`."""
    height, width, channels = x.shape[1:]
    x = ops.reshape(x, (-1, height, width, side, side, channels // side**2))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, side * height, side * width, channels // side**2))


def _edges(size: int, unit: int) -> tuple[int, int]:
    """Pixels to add before and behind `size` ones, so that they are a multiple of `unit`."""
    missing = -size % unit
    return missing // 2, missing - missing // 2


def _padded(x: Any, edges: Sequence[tuple[int, int]]) -> Any:
    return ops.pad(x, [(0, 0), *edges, (0, 0)]) if any(map(any, edges)) else x


def _cropped(x: Any, edges: Sequence[tuple[int, int]]) -> Any:
    """Undo :func:`_padded`."""
    if not any(map(any, edges)):
        return x
    (top, bottom), (left, right) = edges
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]
