"""The AC-GAN: one Keras model that plain ``fit`` trains, on every backend.

A training step runs the generator once. The discriminator's loss sees its images behind
``stop_gradient``; the generator's loss sees the discriminator through ``stateless_call`` with
stopped weights. So the sum of both losses gives each network the gradient of its own loss alone.
"""

from collections.abc import Mapping
from typing import Any, Literal

from augstudy.backend import keras
from augstudy.models import augment
from augstudy.models.averages import follow

ops = keras.ops
Loss = Literal["bce", "hinge"]


def discriminator_source_loss(real: Any, fake: Any, loss: Loss) -> Any:
    """Mean loss of telling real from fake, from logits of any shape."""
    if loss == "hinge":
        return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def generator_source_loss(fake: Any, loss: Loss) -> Any:
    """Mean loss of not being taken for real."""
    return -ops.mean(fake) if loss == "hinge" else ops.mean(ops.softplus(-fake))


def variety_loss(real: Any, fake: Any) -> Any:
    """How much closer two generated images of a class are than two real ones: 1 alike, 0 as far.

    Both are (N, 28, 28, 1), the second half showing the same classes as the first. Distances are
    taken on means of 4 x 4 pixels, where specks cannot pass for variety.
    """
    return ops.relu(1.0 - _pair_distance(fake) / (ops.stop_gradient(_pair_distance(real)) + 1e-3))


def _pair_distance(images: Any) -> Any:
    height, width = images.shape[1:3]
    blocks = ops.reshape(images, (-1, height // 4, 4, width // 4, 4))
    coarse = ops.mean(blocks, axis=(2, 4))
    half = ops.shape(coarse)[0] // 2
    return ops.mean(ops.abs(coarse[:half] - coarse[half : 2 * half]))


def class_loss(labels: Any, logits: Any) -> Any:
    """Mean cross entropy of int `labels` (N,) under `logits` (N, C)."""
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return ops.mean(losses)


@keras.saving.register_keras_serializable(package="augstudy")
class TwoRateAdam(keras.optimizers.Adam):
    """Adam whose rate is `ratio` times larger for variables whose path starts with `prefix`."""

    def __init__(self, *args: Any, prefix: str = "discriminator", ratio: float = 1.0, **kw: Any):
        super().__init__(*args, **kw)
        self.prefix, self.ratio = prefix, ratio
        self._scaled: set[int] = set()

    def build(self, variables: list[Any]) -> None:
        """Note which of the `variables` learn at the other rate, and create the moments."""
        self._scaled = {
            index for index, item in enumerate(variables) if item.path.startswith(self.prefix)
        }
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable at its own rate."""
        if self._get_variable_index(variable) in self._scaled:
            learning_rate = learning_rate * self.ratio
        super().update_step(gradient, variable, learning_rate)

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` needs."""
        return {**super().get_config(), "prefix": self.prefix, "ratio": self.ratio}


class ACGAN(keras.Model):
    """A generator, a discriminator and the running average of the generator.

    Feed ``fit`` with batches of ``{"images": uint8 (N, 28, 28, 1), "labels": int32 (N,)}``; one
    image is generated for each real one, of the same class.
    """

    METRICS = (
        "discriminator_loss",
        "generator_loss",
        "source_loss",
        "source_accuracy",
        "class_accuracy",
        "fake_class_accuracy",
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        loss: Loss = "hinge",
        class_weight: float = 1.0,
        projection: float = 0.0,
        variety: float = 0.0,
        ema: float = 0.99,
        flip: bool = False,
        shift: float = 0.0,
        zoom: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(name="acgan")
        self.generator = generator
        self.discriminator = discriminator
        self.average = keras.models.clone_model(generator)
        self.average.set_weights(generator.get_weights())
        self.average.trainable = False
        self.source_loss: Loss = loss
        self.class_weight, self.projection, self.variety = class_weight, projection, variety
        self.ema = ema
        self.flip, self.shift, self.zoom = flip, shift, zoom
        self.random = keras.random.SeedGenerator(seed)
        self.seen = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="seen"
        )
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.METRICS}
        self.built = True

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Generate one image a label: float32 (N, 28, 28, 1) in 0-1."""
        labels = inputs["labels"]
        latent_dim = self.generator.inputs[0].shape[-1]
        noise = keras.random.normal((ops.shape(labels)[0], latent_dim), seed=self.random)
        return self.generator([noise, labels], training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The sum of both networks' losses, for real batch `x` and generated images `y_pred`."""
        self._update_average()
        labels, drawn = x["labels"], 255.0 * y_pred
        count = ops.shape(labels)[0]
        real = ops.cast(x["images"], "float32")
        if self.flip:
            real = augment.mirror_half(real, self.random)
        both = self._augment(ops.concatenate([real, drawn]))
        seen, fakes = both[:count], both[count:]
        learning = self._discriminator_loss(seen, ops.stop_gradient(fakes), labels)
        drawing = self._generator_loss(fakes, labels)
        if self.variety:
            drawing = drawing + self.variety * variety_loss(real, drawn)
        self.trackers["discriminator_loss"].update_state(learning)
        self.trackers["generator_loss"].update_state(drawing)
        return learning + drawing

    def _augment(self, images: Any) -> Any:
        if not (self.shift or self.zoom):
            return images
        return augment.jitter(images, self.shift, self.zoom, self.random)

    def _logit(self, source: Any, logits: Any, labels: Any) -> Any:
        """How real (N,) an image looks as one of its class."""
        own = ops.sum(ops.one_hot(labels, logits.shape[-1], dtype="float32") * logits, axis=-1)
        return source[:, 0] + self.projection * own

    def _discriminator_loss(self, real: Any, fakes: Any, labels: Any) -> Any:
        count = ops.shape(labels)[0]
        source, logits = self.discriminator(ops.concatenate([real, fakes]), training=True)
        real_logits, fake_logits = logits[:count], logits[count:]
        taken, given = (
            self._logit(source[:count], real_logits, labels),
            self._logit(source[count:], fake_logits, labels),
        )
        hits = ops.concatenate([taken > 0, given <= 0])
        self.trackers["source_accuracy"].update_state(ops.cast(hits, "float32"))
        self._track_class("class_accuracy", labels, real_logits)
        self._track_class("fake_class_accuracy", labels, fake_logits)
        loss = discriminator_source_loss(taken, given, self.source_loss)
        self.trackers["source_loss"].update_state(loss)
        return loss + self.class_weight * class_loss(labels, real_logits)

    def _generator_loss(self, fakes: Any, labels: Any) -> Any:
        weights = [ops.stop_gradient(v.value) for v in self.discriminator.trainable_variables]
        state = [v.value for v in self.discriminator.non_trainable_variables]
        (source, logits), _ = self.discriminator.stateless_call(
            weights, state, fakes, training=False
        )
        loss = generator_source_loss(self._logit(source, logits, labels), self.source_loss)
        return loss + self.class_weight * class_loss(labels, logits)

    def _track_class(self, name: str, labels: Any, logits: Any) -> None:
        hits = ops.equal(ops.argmax(logits, axis=-1), ops.cast(labels, "int32"))
        self.trackers[name].update_state(ops.cast(hits, "float32"))

    def _update_average(self) -> None:
        follow(self.average, self.generator, self.ema, self.seen)
