import numpy as np
import pytest

from augstudy.core.errors import InputError
from augstudy.models import classifiers
from augstudy.models.backend import keras
from augstudy.settings.spec import DRAWING


def test_baseline_is_the_reports_network_to_the_parameter():
    model = classifiers.build("baseline", 11, DRAWING)
    counts = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert counts == [320, 18_496, 73_856, 66_048, 5_643]
    assert model.count_params() == 164_363


@pytest.mark.parametrize("name", classifiers.ARCHITECTURES)
def test_every_architecture_gives_class_probabilities(name):
    model = classifiers.build(name, 7, DRAWING)
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.uint8)
    probabilities = keras.ops.convert_to_numpy(model(images))
    assert probabilities.shape == (3, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def layers_of(name, kind):
    return [
        layer for layer in classifiers.build(name, 11, DRAWING).layers if isinstance(layer, kind)
    ]


def test_report_best_is_as_described():
    convolutions = layers_of("report_best", keras.layers.Conv2D)
    assert [(c.filters, c.kernel_size, c.padding) for c in convolutions] == [
        (32, (5, 5), "same"),
        (64, (5, 5), "same"),
        (128, (5, 5), "same"),
    ]
    assert [p.pool_size for p in layers_of("report_best", keras.layers.AveragePooling2D)] == [
        (3, 3)
    ] * 3
    assert [d.rate for d in layers_of("report_best", keras.layers.Dropout)] == [0.2] * 4
    assert [d.units for d in layers_of("report_best", keras.layers.Dense)] == [512, 11]


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("extra_convs", keras.layers.Conv2D, 5),
        ("double_convs", keras.layers.Conv2D, 6),
        ("batch_norm", keras.layers.BatchNormalization, 3),
        ("dropout", keras.layers.Dropout, 4),
        ("alexnet_dense", keras.layers.Dense, 3),
    ],
)
def test_variations_change_what_they_say(name, kind, count):
    assert len(layers_of(name, kind)) == count


def test_alexnet_grows_its_filters():
    sizes = [layer.kernel_size[0] for layer in layers_of("alexnet", keras.layers.Conv2D)]
    assert sizes == sorted(set(sizes))


def test_unknown_architecture_names_the_known_ones():
    with pytest.raises(
        InputError, match="There is no classifier 'vgg'; there are: baseline, kernel_4"
    ):
        classifiers.build("vgg", 11, DRAWING)


@pytest.mark.parametrize("name", ["batch_norm", "modern_small"])
def test_batch_normalisation_has_settled_after_two_short_epochs(name):
    images = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1)).astype(np.float32)
    model = classifiers.build(name, 3, DRAWING)
    for _ in range(22):
        model(images, training=True)
    learnt = next(layer for layer in model.layers if "batch_normalization" in layer.name)
    before = keras.Model(model.inputs[0], learnt.input)(images, training=False)
    spread = keras.ops.convert_to_numpy(before).astype(np.float64).var(axis=(0, 1, 2))
    assert np.allclose(learnt.moving_variance, spread, rtol=0.15, atol=0.15)
