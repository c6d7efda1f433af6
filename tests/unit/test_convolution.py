"""Gradients of convolutions that are computed another way are those of Keras."""

import numpy as np
import pytest

from augstudy.core import machine
from augstudy.models import classifiers
from augstudy.models import convolution as module
from augstudy.models.backend import keras, prepare
from augstudy.models.convolution import fast_gradients
from augstudy.settings.spec import DRAWING

tf = pytest.importorskip("tensorflow")


@pytest.fixture(autouse=True)
def amx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "amx", lambda: True)


def convolution(side: int = 5, dtype: str = "mixed_bfloat16", **changes: object) -> keras.Model:
    prepare(1)
    settings = {"kernel_size": 3, "padding": "same", "use_bias": False, "dtype": dtype, **changes}
    layer = keras.layers.Conv2D(6, **settings)
    return keras.Sequential([keras.Input((side, side + 1, 4)), layer])


def learnt(model: keras.Model, images: int) -> list[np.ndarray]:
    """Outputs of a batch, and the gradients of the inputs and the weights."""
    shape = (images, *model.input_shape[1:])
    pixels = tf.Variable(np.random.default_rng(2).normal(size=shape).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, *shape[1:]))])  # the last batch is smaller
    def step(batch: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(batch)
            outputs = tf.cast(model(batch, training=True), "float32")
            loss = tf.reduce_sum(outputs**2)
        return [outputs, *tape.gradient(loss, [batch, *model.trainable_variables])]

    return [part.numpy() for part in step(tf.convert_to_tensor(pixels))]


@pytest.mark.parametrize("changes", [{}, {"kernel_size": 1}, {"kernel_size": (3, 5)}, {"side": 7}])
@pytest.mark.parametrize("images", [1, 7, 64])
def test_gradients_are_as_exact_as_those_of_keras(changes: dict[str, object], images: int) -> None:
    models = [convolution(dtype="float32", **changes), *(convolution(**changes) for _ in range(2))]
    assert "convolution_op" in vars(fast_gradients(models[2]).layers[0])
    for exact, plain, quick in zip(*(learnt(model, images) for model in models), strict=True):
        assert exact.shape == quick.shape and exact.any()
        off = [np.sqrt(np.mean((found - exact) ** 2)) for found in (plain, quick)]
        assert off[1] <= 0.05 * np.abs(exact).max()
        # Without units for bfloat16, where it is not used, sums are less exact.
        assert off[1] <= 1.1 * off[0] + 1e-3 * np.abs(exact).mean() or not machine.amx()


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "float32"},
        {"side": 9},
        {"strides": 2},
        {"dilation_rate": 2},
        {"padding": "valid"},
        {"groups": 2},
        {"use_bias": True},
        {"kernel_size": 2},
    ],
)
def test_others_keep_their_own(changes: dict[str, object]) -> None:
    model = fast_gradients(convolution(**changes))
    assert "convolution_op" not in vars(model.layers[0])


def test_networks_use_it_in_bfloat16_alone() -> None:
    before = keras.mixed_precision.global_policy()
    used = {}
    try:
        for policy in ("float32", "mixed_bfloat16"):
            keras.mixed_precision.set_global_policy(policy)
            layers = classifiers.build("modern", 3, DRAWING).layers
            used[policy] = sum("convolution_op" in vars(layer) for layer in layers)
    finally:
        keras.mixed_precision.set_global_policy(before)
    assert used == {"float32": 0, "mixed_bfloat16": 3}


def test_other_processors_keep_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "amx", lambda: False)
    assert "convolution_op" not in vars(fast_gradients(convolution()).layers[0])
