"""The parameters of a pipeline, and what they mean: the one place where they are validated.

Before a run everything that is given is checked; a step validates what it was handed again, since
a cluster can start it without that check.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from augstudy.core.errors import InputError
from augstudy.core.rng import DRAW, check_seed, check_seeds, seed_in_draw
from augstudy.data import shares
from augstudy.models.gan_recipes import gan_recipe
from augstudy.models.recipes import classifier_recipe, decoded, merged
from augstudy.objects import check_address
from augstudy.objects.address import refuse_credentials
from augstudy.settings.arms import Arm
from augstudy.settings.base import Settings, parse
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.comparing import ComparisonSettings, RetrainSettings
from augstudy.settings.data import DataSettings
from augstudy.settings.generators import ON_FAILURE, GeneratorSettings, OnFailure
from augstudy.settings.judging import CurationSettings, JudgeSettings
from augstudy.settings.sets import COPIES, Copies, SyntheticSet, of_study
from augstudy.tuning.sweep import Sweep, parse_sweep

if TYPE_CHECKING:
    from augstudy.data.listed import Listed

RECIPE = "_recipe"
Part = TypeVar("Part", bound=Settings)


@dataclass(frozen=True)
class Study:
    """All parameters of a pipeline, or those that one of its steps uses, by name.

    They are as people and KFP hand them over: whole numbers inside lists and mappings may be
    floats, and "none" stands for null. Each property is a validated part of them, and raises
    InputError with one sentence if it is wrong.
    """

    values: Mapping[str, Any]

    @property
    def data(self) -> DataSettings:
        """Which images are read, and how they are split."""
        more = {"seed": self.values["data_seed"]} if "data_seed" in self.values else {}
        if "image_settings" in self.values:
            more["image_settings"] = decoded(self.values["image_settings"])
        return self._part(DataSettings, "the data settings", more)

    @property
    def arms(self) -> list[Arm]:
        """How training sets are made."""
        return [_arm(item) for item in self.values["arms"]]

    @property
    def arm(self) -> Arm:
        """The arm of a cell."""
        return _arm(self.values["arm"])

    @property
    def seeds(self) -> list[int]:
        """One for each repetition."""
        seeds = [int(seed) for seed in self.values["seeds"]]
        check_seeds(seeds)
        return seeds

    @property
    def gan_seed(self) -> int:
        """Seed of the generator and of the filter."""
        seed = int(self.values["gan_seed"])
        check_seed(seed, "gan_seed")
        return seed

    def in_draw(self, draw: int) -> "Study":
        """The same with the seeds of a repetition of split and generators, counted from 0."""
        if not draw:
            return self
        own: dict[str, Any] = {}
        if "seeds" in self.values:
            own["seeds"] = [seed_in_draw(seed, draw) for seed in self.seeds]
        if "gan_seed" in self.values:
            own["gan_seed"] = seed_in_draw(self.gan_seed, draw)
        return Study({**self.values, **own})

    @property
    def classifier(self) -> ClassifierSettings:
        """The classifier and how it is trained."""
        return classifier_recipe(*self.base("classifier"))

    @property
    def gan(self) -> GeneratorSettings:
        """The generator and how it is trained, where a set does not say otherwise."""
        return gan_recipe(*self.base("gan"))

    @property
    def sets(self) -> list[SyntheticSet]:
        """The sets of synthetic images; one that the study's generator makes, if none is named."""
        asked = [_mapping(item, "set of synthetic images") for item in self.values["sets"]]
        items = of_study(asked, self.values["gan"])
        return [
            parse(SyntheticSet, decoded(item), f"set {item.get('set', item)!r}") for item in items
        ]

    @property
    def copies(self) -> Copies:
        """What happens to synthetic images that are near copies of validation or test images."""
        asked = self.values["copies"]
        for known in COPIES:
            if asked == known:
                return known
        raise InputError(f"copies is {', '.join(COPIES[:-1])} or {COPIES[-1]}, not {asked!r}.")

    def used(self, chosen: SyntheticSet) -> list[Arm]:
        """The arms that use a set."""
        return [arm for arm in self.arms if arm.kind.synthetic and arm.set in (None, chosen.set)]

    def generator(self, made: SyntheticSet) -> GeneratorSettings:
        """The generator of a set that is made here."""
        recipe, changes = self.base("gan")
        usual = changes if made.gan in ("", recipe) else {}
        return gan_recipe(made.gan or recipe, merged(usual, made.settings))

    @property
    def on_gan_failure(self) -> OnFailure:
        """What happens if the training of the generator fails."""
        asked = self.values["on_gan_failure"]
        for known in ON_FAILURE:
            if asked == known:
                return known
        raise InputError(f"on_gan_failure is {' or '.join(ON_FAILURE)}, not {asked!r}.")

    @property
    def judge(self) -> JudgeSettings:
        """The classifier that measures synthetic images."""
        judge = parse(JudgeSettings, decoded(self.values["judge_settings"]), "the judge's settings")
        classifier_recipe(judge.classifier)
        return judge

    @property
    def curation(self) -> CurationSettings:
        """The filter behind ``add_filtered`` and ``real_filtered``."""
        values = decoded(self.values["curation_settings"])
        return parse(CurationSettings, values, "the curation settings")

    @property
    def comparing(self) -> ComparisonSettings:
        """How arms or points are compared."""
        return self._part(ComparisonSettings, "the comparison")

    @property
    def rule(self) -> RetrainSettings:
        """What it takes to become champion."""
        return self._part(RetrainSettings, "the rule")

    @property
    def sweep(self) -> Sweep:
        """Which points are tried."""
        return parse_sweep(self.values["sweep"])

    def base(self, kind: str) -> tuple[str, dict[str, Any]]:
        """The name of a recipe, of a ``classifier`` or a ``gan``, and the changes to it."""
        return self.values[kind], decoded(self.values[f"{kind}_settings"])

    def for_each_set(self) -> "Study":
        """The same with an arm for each set that it uses.

        Raises:
            InputError: an arm names a set that there is not.
        """
        if not {"sets", "arms"} <= set(self.values):
            return self
        names = [item.set for item in self.sets]
        _refuse_doubles(names)
        arms = [
            {key: value for key, value in {**item, "set": arm.set}.items() if value is not None}
            for item in self.values["arms"]
            for arm in _arm(item).of_sets(names)
        ]
        return Study({**self.values, "arms": arms})

    def record(self) -> dict[str, Any]:
        """The parameters as a report shows them: KFP hands mappings over in any order."""
        return {name: _ordered(value) for name, value in self.values.items()}

    def check(self) -> None:
        """Validate everything that can be known to be wrong before any step starts.

        Raises:
            InputError: naming the first thing that is wrong.
        """
        for name, value in self.values.items():
            _refuse_credentials(name, value)
        if {"source", "classes"} <= set(self.values):
            _ = self.data
        _ = self.rule, self.comparing
        if "champion" in self.values:
            check_address(self.values["champion"])
        if "arms" in self.values:
            self._check_arms()
        if "sets" in self.values:
            self._check_sets()
        if "seeds" in self.values:
            check_seeds(self.values["seeds"])
            self._check_draws()
        if "looks" in self.values:
            self._check_looks()
        if "gan_seed" in self.values:
            check_seed(self.values["gan_seed"], "gan_seed")
        self._check_trained()

    def check_source(self) -> "Listed | None":
        """See whether all sources have what is asked of them, as far as that shows at once.

        Returns:
            How many images there are; None if that is not known yet.

        Raises:
            InputError: one lacks a class or images.
            DataError: a file in it is corrupt.
        """
        if {"source", "classes"} <= set(self.values):
            from augstudy.data.reading import check_source

            listed = check_source(self.data)
            if "sets" in self.values:
                from augstudy.data.importing import check_sets

                check_sets(self.sets, self.data)
            return listed
        return None

    def _part(self, model: type[Part], what: str, more: Mapping[str, Any] | None = None) -> Part:
        values = {name: self.values[name] for name in model.model_fields if name in self.values}
        return parse(model, {**values, **(more or {})}, what)

    def _check_arms(self) -> None:
        if not self.values["arms"]:
            raise InputError("arms is empty: name at least one, for example real.")
        arms, seen = self.arms, set()
        for arm in arms:
            if arm.label in seen:
                raise InputError(f"Arm {arm.label} is there twice: remove one.")
            seen.add(arm.label)
        if "real" not in seen:
            raise InputError("Arm real is missing: every other arm is compared with it.")
        if {"level", "train_per_class"} <= set(self.values):
            for arm in arms:
                if not arm.optional:
                    _check_share(arm, self.data)

    def _check_sets(self) -> None:
        _ = self.copies
        _refuse_doubles([item.set for item in self.sets])
        for item in self.sets:
            if not item.imported:
                _ = self.generator(item)

    def _check_draws(self) -> None:
        """See that the seeds of a draw are not those of another one."""
        if int(self.values.get("draws", 1)) > 1 and max(self.values["seeds"]) >= DRAW:
            raise InputError(
                f"With draws, seeds are below {DRAW:,}, as each draw adds {DRAW:,} to those of the "
                f"one before: not {max(self.values['seeds'])}."
            )

    def _check_looks(self) -> None:
        """See that a study that may stop early is looked at after the seeds that it has."""
        looks, seeds = self.comparing.looks, len(self.values["seeds"])
        if looks and seeds not in looks:
            raise InputError(
                f"looks is {looks}, but there are {seeds} seeds: give as many as one of the looks "
                "has, or --seeds auto."
            )

    def _check_trained(self) -> None:
        """See that everything that is trained has settings that exist."""
        if "sweep" in self.values:
            self._check_sweep()
        parts = {"classifier_settings": "classifier", "on_gan_failure": "on_gan_failure"}
        parts |= {"gan_settings": "gan", "judge_settings": "judge", "curation_settings": "curation"}
        for parameter, part in parts.items():
            if parameter in self.values:
                getattr(self, part)

    def _check_sweep(self) -> None:
        """See that the settings of all points exist, and that there is who trains them."""
        from augstudy.tuning import points

        if "classifier" in self.values:
            points.check(self.sweep, *self.base("classifier"), classifier_recipe)
        else:
            points.refuse_search(self.sweep)
            points.check(self.sweep, *self.base("gan"), gan_recipe)
            if self.sweep.findings:
                raise InputError("Findings are about classifiers: leave them out of this sweep.")


@dataclass(frozen=True)
class Handed:
    """What a component was called with: the ``study``, and where its artifacts are.

    ``paths`` has those that are one artifact, ``lists`` those that are several.
    """

    study: Study
    paths: dict[str, Path]
    lists: dict[str, list[Path]]


def handed(arguments: Mapping[str, Any]) -> Handed:
    """Tell the artifacts among the ``locals()`` of a component from its parameters.

    Artifacts are paths, or have a ``path``; modules that the component imported are left out. A
    recipe has ``_recipe`` behind its name where an artifact of the component has the plain one.
    """
    values, paths, lists = {}, {}, {}
    for name, value in arguments.items():
        if (path := _path(value)) is not None:
            paths[name] = path
        elif isinstance(value, list) and any(_path(item) is not None for item in value):
            lists[name] = [path for item in value if (path := _path(item)) is not None]
        elif value is not None and not inspect.ismodule(value):
            values[name.removesuffix(RECIPE)] = value
    return Handed(Study(values), paths, lists)


def _path(value: Any) -> Path | None:
    found = value if isinstance(value, Path) else getattr(value, "path", None)
    return None if found is None else Path(found)


def _refuse_doubles(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"Two sets of synthetic images are called {name!r}: give one another name, as in "
                f"other_{name}=...."
            )


def _arm(item: Any) -> Arm:
    return parse(Arm, _mapping(item, "arm", "arm: replace, share: 0.3"), f"arm {item}")


def _mapping(item: Any, what: str, example: str = "set: sd, source: ../sd15") -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        article = "An" if what[0] == "a" else "A"
        raise InputError(f"{article} {what} is a mapping such as {{{example}}}: {item!r}.")
    return item


def _check_share(arm: Arm, data: DataSettings) -> None:
    """Refuse a share that is no image, or more real images than there are beyond the level."""
    level = data.level or data.train_per_class
    if not level:  # all there are: known when they have been read
        return
    if short := shares.shortage(arm, [level]):
        raise InputError(f"{short[:-1]}, or give the arm optional: true to leave it out.")
    needed = shares.images(arm.share, level)
    spare = data.train_per_class - level
    if data.train_per_class and arm.kind.extra and needed > spare:
        raise InputError(
            f"Arm {arm.label} needs {needed} real images per class beyond level "
            f"{level}, but train_per_class leaves {spare}: raise it, or give the arm "
            "optional: true to leave it out at such levels."
        )


def _refuse_credentials(name: str, value: Any) -> None:
    """Refuse credentials in any address: parameters are kept with the run."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _refuse_credentials(name, item)
    elif isinstance(value, str) and "://" in value:
        refuse_credentials(value, f"address in {name}")


def _ordered(value: Any) -> Any:
    """`value` with every mapping sorted by name."""
    if isinstance(value, Mapping):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value
