"""Every classifier: its layers, and the recipe that it is trained with by default.

A classifier is one function below, or a :class:`ConvNet`. It is handed ``keras.layers``, the number
of classes and what images are like, and yields its layers, from the first convolution to the one
that gives logits.
Settings name it by the name of the function. Keras is not imported before one is built, so that
settings can be checked without it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from augstudy.core.errors import InputError
from augstudy.core.registry import Registry
from augstudy.models.sizes import SHORTEST_SIDE, check_size, doublings
from augstudy.settings.classifier import NetworkSettings
from augstudy.settings.spec import ImageSpec

if TYPE_CHECKING:
    from augstudy.models.backend import keras

Stack = Callable[[Any, int, ImageSpec], Iterable[Any]]

# Epochs of a few hundred images have ten steps. Keras's 0.99 then is still at its first values
# when the best epoch by validation has long been chosen.
BATCH_NORM_MOMENTUM = 0.9
_FEWEST_PIXELS = 3  # a side, behind a pooling


@dataclass(frozen=True)
class Architecture:
    """A classifier and its recipe.

    Attributes:
        stack: Yields its layers from ``keras.layers``, the number of classes and what images are
            like; the last one gives logits in float32. Heat maps show the outputs of its ``ReLU``
            layers.
        recipe: Settings that suit it, see ClassifierSettings.
    """

    stack: Stack
    recipe: Mapping[str, Any]


def _architecture(_name: str, stack: Stack, **recipe: Any) -> Architecture:
    return Architecture(stack, recipe)


ARCHITECTURES: Registry[Architecture] = Registry("classifier", _architecture)


@dataclass(frozen=True)
class ConvNet:
    """A stack of convolution-pooling blocks with a dense head, as the report varies it.

    ``filters`` and ``kernels`` have one entry per block; a block has ``convs`` convolutions, then
    a pooling, then dropout. ``extra`` adds convolutions without pooling behind the last block.
    """

    filters: tuple[int, ...] = (32, 64, 128)
    kernels: tuple[int, ...] = (3, 3, 3)
    padding: Literal["valid", "same"] = "valid"
    pooling: Literal["max", "average"] = "max"
    pool_size: int = 2
    convs: int = 1
    extra: tuple[int, ...] = ()
    batch_norm: bool = False
    dropout: float = 0.0
    dense: tuple[int, ...] = (512,)

    def __call__(self, layers: Any, classes: int, spec: ImageSpec) -> Iterable[Any]:
        """Yield the layers in order, the last one giving logits.

        Raises:
            InputError: images are smaller than those of the report.
        """
        check_size(spec, "The networks of the student report")
        for filters, kernel in zip(self.filters, self.kernels, strict=True):
            for _ in range(self.convs):
                yield from self._conv(layers, filters, kernel)
            yield self._pool(layers)
            if self.dropout:
                yield layers.Dropout(self.dropout)
        for filters in self.extra:
            yield from self._conv(layers, filters, 3)
        yield layers.Flatten()
        for units in self.dense:
            if self.dropout:
                yield layers.Dropout(self.dropout)
            yield layers.Dense(units, activation="relu")
        yield layers.Dense(classes, dtype="float32")

    def changed(self, name: str, changes: Mapping[str, Any]) -> "ConvNet":
        """The same with other settings, of the architecture `name`.

        Raises:
            InputError: nothing of an image would be left, or blocks are not described in full.
        """
        made = replace(self, **changes)
        if len(made.filters) != len(made.kernels):
            raise InputError(
                f"network has {len(made.filters)} filters and {len(made.kernels)} kernels: give as "
                "many of either, one per block."
            )
        if made.size() < 1:
            raise InputError(
                f"The blocks of {name!r} with network {changes} leave nothing of an image: take "
                "padding same, or smaller kernels and pools."
            )
        return made

    def size(self) -> int:
        """Pixels along the shortest side behind the last block; less than 1 if nothing is left."""
        lost, size = self.padding == "valid", SHORTEST_SIDE
        for kernel in self.kernels:
            size = (size - lost * self.convs * (kernel - 1)) // self.pool_size
        return size - lost * len(self.extra) * 2

    def _conv(self, layers: Any, filters: int, kernel: int) -> Iterable[Any]:
        yield layers.Conv2D(filters, kernel, padding=self.padding)
        if self.batch_norm:
            yield layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)
        yield layers.ReLU()

    def _pool(self, layers: Any) -> Any:
        kind = layers.MaxPooling2D if self.pooling == "max" else layers.AveragePooling2D
        return kind(self.pool_size)


# The student report's own: Adam at its default rate, both callbacks on the validation loss.
_REPORT: dict[str, Any] = {
    "optimizer": {"name": "adam", "learning_rate": 1e-3},
    "batch_size": 256,
    "epochs": 50,
    "early_stopping": {"patience": 20},
    "reduce_on_plateau": {"patience": 5},
}
_BASELINE = ConvNet()
_SAME = replace(_BASELINE, padding="same")
_ALEXNET = replace(_SAME, filters=(32, 64, 128), kernels=(3, 5, 7))
ARCHITECTURES.add("baseline", _BASELINE, **_REPORT)
ARCHITECTURES.add("kernel_4", replace(_SAME, kernels=(4, 4, 4)), **_REPORT)
ARCHITECTURES.add("kernel_5", replace(_SAME, kernels=(5, 5, 5)), **_REPORT)
ARCHITECTURES.add("average_pooling", replace(_BASELINE, pooling="average"), **_REPORT)
ARCHITECTURES.add("pool_3", replace(_SAME, pool_size=3), **_REPORT)
ARCHITECTURES.add("batch_norm", replace(_BASELINE, batch_norm=True), **_REPORT)
ARCHITECTURES.add("dropout", replace(_BASELINE, dropout=0.2), **_REPORT)
ARCHITECTURES.add("extra_convs", replace(_SAME, extra=(128, 128)), **_REPORT)
ARCHITECTURES.add("double_convs", replace(_SAME, convs=2), **_REPORT)
ARCHITECTURES.add("alexnet", _ALEXNET, **_REPORT)
ARCHITECTURES.add("alexnet_dense", replace(_ALEXNET, dense=(512, 512)), **_REPORT)
ARCHITECTURES.add(
    "report_best",
    replace(_SAME, kernels=(5, 5, 5), pooling="average", pool_size=3, dropout=0.2),
    **_REPORT,
)

_SHORT: dict[str, Any] = {
    "optimizer": {
        "name": "adamw",
        "learning_rate": 3e-3,
        "weight_decay": 0.05,
        "schedule": "cosine",
        "warmup_epochs": 2,
    },
    "label_smoothing": 0.1,
    "batch_size": 64,
    "epochs": 80,
    "augmentation": {
        "horizontal_flip": True,
        "rotation": 10,
        "shift": 0.08,
        "zoom": 0.05,
        "stretch": 0.1,
        "shear": 0.1,
    },
    "mirror": True,
}

# Chosen by validation images of drawings, 25 and 254 per class; short trainings, such as those of
# judges, do not gain by it.
_MODERN: dict[str, Any] = {
    **_SHORT,
    "optimizer": {**_SHORT["optimizer"], "weight_decay": 0.5},
    "epochs": 64,
    "keep": "last",
}


@ARCHITECTURES.register(**_MODERN, views=5)
def modern(layers: Any, classes: int, spec: ImageSpec) -> Iterable[Any]:
    """Ours: batch-normalised convolutions, the first 5x5 with stride 2, and global pooling.

    Nearly all the work is in dense 3x3 convolutions, which CPUs with bf16 units and GPUs do
    fastest, and most of it at about 7 pixels a side, where it costs a quarter; without a wide dense
    layer there are fewer parameters to overfit than in ``report_best``.
    """
    return _modern(layers, classes, spec, stem=32, blocks=((48,), (96, 96), (160,)), dropout=0.3)


@ARCHITECTURES.register(**_SHORT)
def modern_small(layers: Any, classes: int, spec: ImageSpec) -> Iterable[Any]:
    """Like ``modern``, with less of everything, and for shorter trainings."""
    return _modern(layers, classes, spec, stem=24, blocks=((48,), (96, 96)), dropout=0.25)


# Tuned on photos of 32 x 32 pixels, 100 per class: without the decay, or with the weights of the
# epoch with the lowest validation loss, accuracy is two points lower.
_PHOTO: dict[str, Any] = {
    "optimizer": {
        "name": "adamw",
        "learning_rate": 3e-3,
        "weight_decay": 0.5,
        "schedule": "cosine",
        "warmup_epochs": 2,
    },
    "label_smoothing": 0.1,
    "batch_size": 64,
    "epochs": 64,
    "keep": "last",
    "augmentation": {
        "horizontal_flip": True,
        "shift": 0.125,
        "zoom": 0.1,
        "brightness": 0.1,
        "contrast": 0.2,
        "saturation": 0.3,
        "cutout": 0.3,
    },
    "classic": {"rotation": 15, "stretch": 0.1, "brightness": 0.2, "contrast": 0.4, "cutout": 0.4},
    "mirror": True,
}


@ARCHITECTURES.register(**_PHOTO, views=5)
def photo(layers: Any, classes: int, spec: ImageSpec) -> Iterable[Any]:
    """Like ``modern``, with more filters, which colours and textures need."""
    return _modern(layers, classes, spec, stem=32, blocks=((64,), (128, 128), (256,)), dropout=0.3)


ARCHITECTURES.add("photo_small", modern_small, **_PHOTO)


def _modern(
    layers: Any,
    classes: int,
    spec: ImageSpec,
    stem: int,
    blocks: tuple[tuple[int, ...], ...],
    dropout: float,
) -> Iterable[Any]:
    """`blocks` are the filters of the 3x3 convolutions at 14, 7 and 3 pixels of an image of 28.

    Larger images go through more blocks first, until as few pixels are left; small ones are pooled
    as long as 3 pixels a side are left.
    """
    yield from _normalised(layers, stem, 5, 2)
    side = -(-min(spec.plane) // 2)
    blocks = ((stem,),) * (doublings(*spec.plane) - 2) + blocks
    for index, block in enumerate(blocks):
        if index and side >= 2 * _FEWEST_PIXELS:
            yield layers.MaxPooling2D(2)
            side //= 2
        for filters in block:
            yield from _normalised(layers, filters, 3, 1)
    yield layers.GlobalAveragePooling2D()
    yield layers.Dropout(dropout)
    yield layers.Dense(classes, dtype="float32")


def _normalised(layers: Any, filters: int, kernel: int, stride: int) -> Iterable[Any]:
    yield layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)
    yield layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)
    yield layers.ReLU()


def build(
    name: str, classes: int, spec: ImageSpec, network: NetworkSettings | None = None
) -> "keras.Model":
    """Build a classifier of `classes` classes under the global precision policy.

    It takes images of shape (batch, height, width, channels) with values 0..255, as `spec` says,
    and returns class probabilities in float32, whatever the precision inside.

    Raises:
        InputError: there is no architecture of that name, `network` cannot change it so, or it
            takes no images as small as those.
    """
    stack = changed(name, network or NetworkSettings())
    from augstudy.models.backend import keras
    from augstudy.models.convolution import fast_gradients
    from augstudy.models.normalisation import fused

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(spec.shape),
            layers.Rescaling(1 / 255),
            *stack(layers, classes, spec),
            layers.Softmax(dtype="float32", name="probabilities"),
        ],
        name=name,
    )
    return fast_gradients(fused(model))


def changed(name: str, network: NetworkSettings) -> Stack:
    """What yields the layers of `name`, with the changes that `network` makes to them.

    Raises:
        InputError: there is no such architecture, or it cannot be changed so.
    """
    stack, changes = ARCHITECTURES.find(name).stack, network.changes()
    if not changes:
        return stack
    if not hasattr(stack, "changed"):
        raise InputError(
            f"The layers of architecture {name!r} cannot be changed: set network on one of the "
            "student report's, such as baseline."
        )
    made: Stack = stack.changed(name, changes)
    return made
