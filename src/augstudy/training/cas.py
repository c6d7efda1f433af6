"""Classification accuracy score: train on what is to be judged, test on real images."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from augstudy.data.mixtures import Drawings
from augstudy.settings.judging import JudgeSettings
from augstudy.settings.spec import ImageSpec
from augstudy.training.callbacks import Progress
from augstudy.training.classifier import Trainer
from augstudy.training.judge import recipe
from augstudy.training.predicting import predict_as

_HELD_OUT = 10


def recogniser(
    settings: JudgeSettings, tested: Drawings, spec: ImageSpec, *, classes: int, images: int
) -> Callable[[Drawings, Progress | None], npt.NDArray[np.bool_]]:
    """What trains the judge's recipe on so many images and says which of `tested` it recognises.

    Their share is the classification accuracy score of the images trained on (Ravuri and Vinyals
    2019, arXiv 1905.10887; GAN-train of Shmelkov et al. 2018, arXiv 1807.09499). Every tenth of
    these, in the order given, is held out and chooses the epoch, so that `tested` chooses nothing.
    The seed is fixed, next to that of the judge. All trainings share one compiled step.
    """
    held = np.arange(images) % _HELD_OUT == _HELD_OUT - 1
    chooser = held if held.any() else ~held
    chosen = recipe(settings, settings.cas_steps, int((~held).sum()))
    trainer = Trainer(chosen, spec, classes=classes, images=int((~held).sum()))

    def recognised(training: Drawings, progress: Progress | None = None) -> npt.NDArray[np.bool_]:
        trained = trainer.train(
            (training.images[~held], training.labels[~held]),
            (training.images[chooser], training.labels[chooser]),
            seed=settings.seed + 1,
            progress=progress,
        )
        seen = predict_as(chosen, trained.model, tested.images, spec)
        return np.asarray(seen.argmax(axis=1) == tested.labels)

    return recognised
