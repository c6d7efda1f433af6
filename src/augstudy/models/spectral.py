"""Layers with spectral normalisation: their weights are divided by their largest singular value.

Keras's own wrapper overwrites the kernel during the forward pass; these keep the kernel as the
optimizer left it and let the gradient flow through the division (Miyato et al. 2018).
"""

from typing import Any

from augstudy.models.backend import keras

ops = keras.ops


class _Spectral(keras.layers.Layer):
    """Holds a kernel whose last axis is the outputs, and one singular vector of it."""

    def _add_kernel(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(
            shape=shape, initializer="orthogonal", name="kernel", autocast=False
        )
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")
        self.direction = self.add_weight(
            shape=(shape[-1],),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
            trainable=False,
            name="direction",
            autocast=False,
        )

    def _normalised(self, training: bool) -> Any:
        """The kernel over its spectral norm; one power iteration when training."""
        kernel = ops.convert_to_tensor(self.kernel)
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        frozen = ops.stop_gradient(matrix)
        right = ops.convert_to_tensor(self.direction)
        left = _unit(ops.matmul(frozen, right))
        right = _unit(ops.matmul(left, frozen))
        if training:
            self.direction.assign(right)
        norm = ops.sum(left * ops.matmul(matrix, ops.stop_gradient(right)))
        return ops.cast(kernel / norm, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        # Keras would write the policy as an object with its address, which differs every time.
        return {**super().get_config(), "dtype": self.dtype_policy.name}


def _unit(vector: Any) -> Any:
    return vector * ops.rsqrt(ops.sum(vector * vector) + 1e-12)


@keras.saving.register_keras_serializable(package="augstudy")
class SpectralConv2D(_Spectral):
    """A 2-D convolution, same padding, (N, H, W, C) in and out."""

    def __init__(self, filters: int, kernel_size: int, strides: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides = filters, kernel_size, strides

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Create the weights for inputs of `input_shape`."""
        self._add_kernel((self.kernel_size, self.kernel_size, input_shape[-1], self.filters))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Convolve (N, H, W, C) `inputs`."""
        kernel = self._normalised(training)
        return ops.conv(inputs, kernel, strides=self.strides, padding="same") + self.bias

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        own: dict[str, Any] = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
        }
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="augstudy")
class SpectralDense(_Spectral):
    """A dense layer, (N, C) in, (N, units) out."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Create the weights for inputs of `input_shape`."""
        self._add_kernel((input_shape[-1], self.units))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Multiply (N, C) `inputs`."""
        return ops.matmul(inputs, self._normalised(training)) + self.bias

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="augstudy")
class SpectralDepthwiseConv2D(keras.layers.Layer):
    """A depthwise 2-D convolution, same padding, (N, H, W, C) in and out.

    A channel's kernel is a matrix of one column, whose spectral norm is its length: no power
    iteration is needed.
    """

    def __init__(self, kernel_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_size = kernel_size

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Create the weights for inputs of `input_shape`."""
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], 1)
        self.kernel = self.add_weight(
            shape=shape, initializer="glorot_uniform", name="kernel", autocast=False
        )
        self.bias = self.add_weight(shape=(shape[2],), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Convolve (N, H, W, C) `inputs`, each channel by itself."""
        kernel = ops.convert_to_tensor(self.kernel)
        length = ops.sqrt(ops.sum(kernel * kernel, axis=(0, 1), keepdims=True) + 1e-12)
        normalised = ops.cast(kernel / length, self.compute_dtype)
        return ops.depthwise_conv(inputs, normalised, padding="same") + self.bias

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        own = {"kernel_size": self.kernel_size, "dtype": self.dtype_policy.name}
        return {**super().get_config(), **own}
