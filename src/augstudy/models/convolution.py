"""Gradients of convolutions over few pixels, which oneDNN is slow at in bfloat16."""

from functools import partial
from typing import Any

from augstudy.core.machine import amx
from augstudy.models.backend import gpus, keras

_MOST_PIXELS = 8  # a side; beyond 8 x 8 oneDNN's own way is the faster one


def fast_gradients(model: keras.Model) -> keras.Model:
    """`model`, whose convolutions over few pixels get the gradient of their filters another way.

    That gradient is a convolution, too: of the inputs with the gradient of the outputs, the images
    of the batch taking the place of the channels. On a CPU with AMX, oneDNN's kernel for it takes
    several times as long as the convolution itself, for as many operations; benchmarks/ceiling.py
    measures how much less time a step takes without it. The layers stay Keras's own. float32,
    other processors, GPUs and JAX keep their gradients.
    """
    if keras.backend.backend() == "tensorflow" and amx() and not gpus():
        for layer in model._flatten_layers():
            if type(layer) is keras.layers.Conv2D and _fits(layer):
                layer.convolution_op = partial(_convolution, layer)
    return model


def _fits(layer: Any) -> bool:
    # oneDNN sums up the gradient of a bias on the way, in float32; TensorFlow would in bfloat16.
    plain = layer.padding == "same" and layer.groups == 1 and not layer.use_bias
    ones = {*layer.strides, *layer.dilation_rate} == {1}
    odd = all(size % 2 for size in layer.kernel_size)
    few = layer.built and max(layer.output.shape[1:3]) <= _MOST_PIXELS
    return few and plain and ones and odd and layer.compute_dtype == "bfloat16"


def _convolution(layer: Any, inputs: Any, kernel: Any) -> Any:
    import tensorflow as tf

    (above, beside), shape = (size // 2 for size in layer.kernel_size), layer.kernel.shape
    margins = [[0, 0], [above, above], [beside, beside], [0, 0]]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolved(images: Any, filters: Any) -> Any:
        def gradients(upstream: Any) -> tuple[Any, Any]:
            before = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(images),
                filter=filters,
                out_backprop=upstream,
                strides=[1] * 4,
                padding="SAME",
            )
            planes = tf.pad(tf.transpose(images, (3, 1, 2, 0)), margins)
            found = tf.nn.conv2d(planes, tf.transpose(upstream, (1, 2, 0, 3)), 1, "VALID")
            return before, tf.ensure_shape(tf.transpose(found, (1, 2, 0, 3)), shape)

        return tf.nn.conv2d(images, filters, 1, "SAME"), gradients

    return convolved(inputs, keras.ops.cast(kernel, inputs.dtype))
