"""Every classifier, by name: those of the student report, one change at a time, and ours.

:func:`build` returns a model that takes images of shape (batch, 28, 28, 1) with values 0..255 and
returns class probabilities in float32, whatever the precision inside.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from augstudy.backend import keras
from augstudy.config import NetworkSettings
from augstudy.errors import InputError

layers = keras.layers

IMAGE_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class ConvNet:
    """A stack of convolution-pooling blocks with a dense head, as the report varies it.

    ``filters`` and ``kernels`` have one entry a block; a block has ``convs`` convolutions, then
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

    def layers(self, classes: int) -> Iterable[Any]:
        """Yield the layers in order, the last one giving logits."""
        for filters, kernel in zip(self.filters, self.kernels, strict=True):
            for _ in range(self.convs):
                yield from self._conv(filters, kernel)
            yield self._pool()
            if self.dropout:
                yield layers.Dropout(self.dropout)
        for filters in self.extra:
            yield from self._conv(filters, 3)
        yield layers.Flatten()
        for units in self.dense:
            if self.dropout:
                yield layers.Dropout(self.dropout)
            yield layers.Dense(units, activation="relu")
        yield layers.Dense(classes, dtype="float32")

    def size(self) -> int:
        """Pixels along a side behind the last block; less than 1 if nothing is left."""
        lost, size = self.padding == "valid", IMAGE_SHAPE[0]
        for kernel in self.kernels:
            size = (size - lost * self.convs * (kernel - 1)) // self.pool_size
        return size - lost * len(self.extra) * 2

    def _conv(self, filters: int, kernel: int) -> Iterable[Any]:
        yield layers.Conv2D(filters, kernel, padding=self.padding)
        if self.batch_norm:
            yield layers.BatchNormalization()
        yield layers.ReLU()

    def _pool(self) -> Any:
        kind = layers.MaxPooling2D if self.pooling == "max" else layers.AveragePooling2D
        return kind(self.pool_size)


@dataclass(frozen=True)
class Modern:
    """Ours: batch-normalised convolutions, the first 5x5 with stride 2, and global pooling.

    ``blocks`` are the filters of the 3x3 convolutions at 14, 7 and so on pixels, with a pooling
    between two blocks. Nearly all the work is in dense 3x3 convolutions, which CPUs with bf16
    units and GPUs do fastest, and most of it at 7 pixels, where it costs a quarter; without a wide
    dense layer there are fewer parameters to overfit than in ``report_best``.
    """

    stem: int = 32
    blocks: tuple[tuple[int, ...], ...] = ((48,), (96, 96), (160,))
    dropout: float = 0.3

    def layers(self, classes: int) -> Iterable[Any]:
        """Yield the layers in order, the last one giving logits."""
        yield from self._conv(self.stem, 5, 2)
        for index, block in enumerate(self.blocks):
            if index:
                yield layers.MaxPooling2D(2)
            for filters in block:
                yield from self._conv(filters, 3, 1)
        yield layers.GlobalAveragePooling2D()
        yield layers.Dropout(self.dropout)
        yield layers.Dense(classes, dtype="float32")

    def _conv(self, filters: int, kernel: int, stride: int) -> Iterable[Any]:
        yield layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)
        yield layers.BatchNormalization(momentum=0.9)  # trainings here are short
        yield layers.ReLU()


BASELINE = ConvNet()
_SAME = replace(BASELINE, padding="same")

ARCHITECTURES: dict[str, ConvNet | Modern] = {
    "baseline": BASELINE,
    "kernel_4": replace(_SAME, kernels=(4, 4, 4)),
    "kernel_5": replace(_SAME, kernels=(5, 5, 5)),
    "average_pooling": replace(BASELINE, pooling="average"),
    "pool_3": replace(_SAME, pool_size=3),
    "batch_norm": replace(BASELINE, batch_norm=True),
    "dropout": replace(BASELINE, dropout=0.2),
    "extra_convs": replace(_SAME, extra=(128, 128)),
    "double_convs": replace(_SAME, convs=2),
    "alexnet": replace(_SAME, filters=(32, 64, 128), kernels=(3, 5, 7)),
    "alexnet_dense": replace(_SAME, filters=(32, 64, 128), kernels=(3, 5, 7), dense=(512, 512)),
    "report_best": replace(_SAME, kernels=(5, 5, 5), pooling="average", pool_size=3, dropout=0.2),
    "modern": Modern(),
    "modern_small": Modern(stem=24, blocks=((48,), (96, 96)), dropout=0.25),
}


def build(name: str, classes: int, network: NetworkSettings | None = None) -> keras.Model:
    """Build a classifier of `classes` classes under the global precision policy.

    Raises:
        InputError: there is no architecture of that name, or `network` cannot change it so.
    """
    stack = changed(name, network or NetworkSettings()).layers(classes)
    return keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            layers.Rescaling(1 / 255),
            *stack,
            layers.Softmax(dtype="float32", name="probabilities"),
        ],
        name=name,
    )


def changed(name: str, network: NetworkSettings) -> ConvNet | Modern:
    """The architecture called `name`, with the changes that `network` makes to its layers.

    Raises:
        InputError: there is no such architecture, or it cannot be changed so.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"No architecture {name!r}; there are: {', '.join(ARCHITECTURES)}.")
    architecture, changes = ARCHITECTURES[name], network.changes()
    if not changes:
        return architecture
    if not isinstance(architecture, ConvNet):
        raise InputError(
            f"The layers of architecture {name!r} cannot be changed: set network on one of the "
            "student report's, such as baseline."
        )
    made = replace(architecture, **changes)
    if len(made.filters) != len(made.kernels):
        raise InputError(
            f"network has {len(made.filters)} filters and {len(made.kernels)} kernels: give as "
            "many of either, one a block."
        )
    if made.size() < 1:
        raise InputError(
            f"The blocks of {name!r} with network {changes} leave nothing of an image: take "
            "padding same, or smaller kernels and pools."
        )
    return made
