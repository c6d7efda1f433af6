"""Classifiers that start from a trained network, the backbone: transfer learning."""

import contextlib
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augstudy.core.errors import DataError, InputError, ServiceError
from augstudy.models.backend import keras
from augstudy.models.layers import Fitted
from augstudy.models.normalisation import fused
from augstudy.objects import open_store
from augstudy.settings.classifier import Backbone, ClassifierSettings
from augstudy.settings.spec import ImageSpec
from augstudy.training.saving import load_model

_RGB = 3
_DROPOUT = 0.2


def contents(settings: ClassifierSettings) -> dict[str, str]:
    """What results depend on beside the settings: the SHA-256 of the backbone's file, if any.

    Raises:
        MissingError: there is no such file.
        ServiceError: its store does not answer.
    """
    if settings.backbone is None or not settings.backbone.file:
        return {}
    return {"backbone": hashlib.sha256(_read(settings.backbone.file)).hexdigest()}


def build(backbone: Backbone, classes: int, spec: ImageSpec) -> keras.Model:
    """Build a classifier of `classes` classes on the features of a `backbone`.

    Like those of :func:`augstudy.models.classifiers.build` it takes images as `spec` says and gives
    probabilities. They are resized to what the backbone takes inside the network.

    Raises:
        InputError: keras.applications has no such network, or there is no such file.
        DataError: the file is no classifier, or holds weights of another network.
        ServiceError: weights cannot be downloaded.
    """
    of_file = backbone.network == backbone.file
    features = _saved(backbone, spec) if of_file else _published(backbone, spec)
    layers = keras.layers
    return fused(
        keras.Sequential(
            [
                keras.Input(spec.shape),
                *features,
                layers.Dense(classes, dtype="float32", name="classes"),
                layers.Softmax(dtype="float32", name="probabilities"),
            ],
            name="transfer",
        )
    )


def _saved(backbone: Backbone, spec: ImageSpec) -> list[Any]:
    """The layers of a saved classifier up to the one that gives its logits."""
    with _fetched(backbone.file) as path:
        model = load_model(path)
    dense = [isinstance(layer, keras.layers.Dense) for layer in model.layers]
    if not isinstance(model, keras.Sequential) or not any(dense):
        raise DataError(f"{backbone.file} is no classifier that a study has saved: choose another.")
    kept = model.layers[: len(dense) - 1 - dense[::-1].index(True)]
    for layer in kept:
        layer.trainable = backbone.fine_tune
    wanted = model.input_shape[1:]
    # Layers of a model have different names: that of one that was transferred before has another.
    return [*([] if wanted == spec.shape else [Fitted(*wanted, name=f"fitted_{len(kept)}")]), *kept]


def _published(backbone: Backbone, spec: ImageSpec) -> list[Any]:
    """A network of keras.applications, which normalises as it was trained, and pooling."""
    name, shape = backbone.network, (backbone.size, backbone.size, _RGB)
    make = getattr(keras.applications, name, None)
    if make is None or not name[0].isupper():
        raise InputError(f"keras.applications has no network {name!r}: choose one that it has.")
    if backbone.file:
        network = make(include_top=False, weights=None, input_shape=shape)
        with _fetched(backbone.file) as path:
            try:
                network.load_weights(path)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{backbone.file} holds no weights of {name} without its last layers: save "
                    "those of a network that was made with include_top=False."
                ) from error
    else:
        try:
            network = make(include_top=False, weights="imagenet", input_shape=shape)
        except Exception as error:  # Keras raises nothing narrower where a download fails
            raise ServiceError(
                f"Keras cannot load the weights of {name} that it publishes ({error}): give them "
                "as a file, with backbone.weights."
            ) from error
    network.trainable = backbone.fine_tune
    pixels = keras.Input(spec.shape)
    normalised = sys.modules[make.__module__].preprocess_input(Fitted(*shape)(pixels))
    # Its batch normalisation stays as it was trained, as a few images would upset it.
    whole = keras.Model(pixels, network(normalised, training=False), name="backbone")
    layers = keras.layers
    return [whole, layers.GlobalAveragePooling2D(), layers.Dropout(_DROPOUT)]


@contextlib.contextmanager
def _fetched(uri: str) -> Iterator[Path]:
    """The file at a path or URI, on this machine for as long as it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / uri.rpartition("/")[2]
        path.write_bytes(_read(uri))
        yield path


def _read(uri: str) -> bytes:
    folder, _, name = uri.rpartition("/")
    return open_store(folder or "/", read_only=True).read(name)
