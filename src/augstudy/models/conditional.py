"""Batch normalisation whose scale and shift depend on the class."""

from typing import Any

from augstudy.models.backend import keras

ops = keras.ops


@keras.saving.register_keras_serializable(package="augstudy")
class ConditionalNorm(keras.layers.Layer):
    """Normalise (N, H, W, C) over the batch, then scale and shift by what a (N, K) code says.

    Normalisation, scale and shift are folded into one multiplication and one addition a pixel.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum, self.epsilon = momentum, epsilon

    def build(self, input_shape: list[tuple[int, ...]]) -> None:
        """Create the weights for ``[images, code]`` of `input_shape`."""
        channels, width = input_shape[0][-1], input_shape[1][-1]
        small = keras.initializers.RandomNormal(0.0, 0.02)
        self.gain = self.add_weight(shape=(width, channels), initializer=small, name="gain")
        self.shift = self.add_weight(shape=(width, channels), initializer=small, name="shift")
        self.mean = self.add_weight(
            shape=(channels,), initializer="zeros", trainable=False, name="mean", autocast=False
        )
        self.variance = self.add_weight(
            shape=(channels,), initializer="ones", trainable=False, name="variance", autocast=False
        )

    def call(self, inputs: list[Any], training: bool = False) -> Any:
        """Normalise ``inputs[0]`` (N, H, W, C) as ``inputs[1]`` (N, K) says."""
        images, code = inputs
        if training:
            mean, variance = ops.moments(ops.cast(images, "float32"), axes=(0, 1, 2))
            self._track(self.mean, mean)
            self._track(self.variance, variance)
        else:
            mean, variance = ops.convert_to_tensor(self.mean), ops.convert_to_tensor(self.variance)
        gain = ops.cast(1.0 + ops.matmul(code, self.gain), "float32")
        scale = gain * ops.rsqrt(variance + self.epsilon)
        offset = ops.cast(ops.matmul(code, self.shift), "float32") - mean * scale
        return images * self._per_pixel(scale) + self._per_pixel(offset)

    def _track(self, state: Any, value: Any) -> None:
        kept = ops.convert_to_tensor(state) * self.momentum
        state.assign(kept + ops.stop_gradient(value) * (1.0 - self.momentum))

    def _per_pixel(self, values: Any) -> Any:
        return ops.cast(values, self.compute_dtype)[:, None, None, :]

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        # Keras would write the policy as an object with its address, which differs every time.
        own = {"momentum": self.momentum, "epsilon": self.epsilon, "dtype": self.dtype_policy.name}
        return {**super().get_config(), **own}
