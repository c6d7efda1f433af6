"""Grad-CAM: which parts of an image speak for the class that the network names.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from augstudy.core.errors import InputError
from augstudy.models.backend import keras
from augstudy.settings.spec import with_channels

ops = keras.ops

# A 3x3 map stretched over a drawing says nothing about strokes.
_SMALLEST_MAP = 7


def heat_maps(
    model: keras.Sequential, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int32]
) -> npt.NDArray[np.float16]:
    """Heat in [0, 1], shape (N, height, width), of class `labels[i]` on `images[i]`.

    The maps come from the last convolution whose output is at least 7x7, else from the last
    one. A map without any positive evidence is all zero.
    """
    below, above = _split(model)
    maps = _run(below, ops.cast(ops.convert_to_tensor(with_channels(images)), "float32"))
    gradients = _class_gradients(above, ops.cast(maps, "float32"), labels)
    weights = ops.mean(gradients, axis=(1, 2), keepdims=True)
    heat = ops.relu(ops.sum(weights * ops.cast(maps, "float32"), axis=-1, keepdims=True))
    heat = ops.image.resize(heat, images.shape[1:3], interpolation="bilinear")
    array = np.asarray(ops.convert_to_numpy(heat), np.float32)[..., 0]
    peak = array.max(axis=(1, 2), keepdims=True)
    heat = np.divide(array, peak, out=np.zeros_like(array), where=peak > 0)
    return np.asarray(heat, np.float16)


def _split(model: keras.Sequential) -> tuple[list[Any], list[Any]]:
    """The layers up to the maps to explain, and those from there to the logits."""
    spatial = [
        index
        for index, layer in enumerate(model.layers)
        if isinstance(layer, (keras.layers.ReLU, keras.Model)) and len(layer.output.shape) == 4
    ]
    if not spatial:
        raise InputError(f"Model {model.name!r} has no convolution to draw a Grad-CAM of.")
    wide = [i for i in spatial if min(model.layers[i].output.shape[1:3]) >= _SMALLEST_MAP]
    cut = (wide or spatial)[-1] + 1
    return model.layers[:cut], model.layers[cut:-1]


def _run(layers: list[Any], inputs: Any) -> Any:
    for layer in layers:
        inputs = layer(inputs, training=False) if _knows_training(layer) else layer(inputs)
    return inputs


def _knows_training(layer: Any) -> bool:
    return isinstance(layer, (keras.layers.BatchNormalization, keras.layers.Dropout, keras.Model))


def _class_gradients(layers: list[Any], maps: Any, labels: npt.NDArray[np.int32]) -> Any:
    """Gradient of each image's own class logit with respect to its maps, float32."""

    def evidence(inputs: Any) -> Any:
        logits = ops.cast(_run(layers, inputs), "float32")
        return ops.sum(logits * ops.one_hot(labels, logits.shape[-1]))

    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(evidence)(maps)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(maps)
        total = evidence(maps)
    return tape.gradient(total, maps)
