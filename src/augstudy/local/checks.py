"""Finds what is wrong with the parameters of a pipeline before any step starts."""

from collections.abc import Mapping, Sequence
from typing import Any

from augstudy.core.errors import InputError
from augstudy.core.rng import check_seed, check_seeds
from augstudy.data import shares
from augstudy.models.gan_recipes import gan_recipe
from augstudy.models.recipes import classifier_recipe, decoded
from augstudy.objects import check_address
from augstudy.objects.address import refuse_credentials
from augstudy.settings.arms import Arm
from augstudy.settings.base import parse
from augstudy.settings.comparing import ComparisonSettings, RetrainSettings
from augstudy.settings.data import DataSettings
from augstudy.settings.generators import ON_FAILURE
from augstudy.settings.judging import CurationSettings, JudgeSettings


def check(values: Mapping[str, Any]) -> None:
    """Validate what can be known to be wrong before any step starts.

    Raises:
        InputError: naming the first thing that is wrong.
    """
    _refuse_credentials(values)
    data = {name: values[name] for name in DataSettings.model_fields if name in values}
    if "data_seed" in values:
        data["seed"] = values["data_seed"]
    if {"source", "classes"} <= set(values):
        parse(DataSettings, data, "the data settings")
    rule = {name: values[name] for name in RetrainSettings.model_fields if name in values}
    parse(RetrainSettings, rule, "the rule")
    compared = {name: values[name] for name in ComparisonSettings.model_fields if name in values}
    parse(ComparisonSettings, compared, "the comparison")
    if "champion" in values:
        check_address(values["champion"])
    if "arms" in values:
        _check_arms(values["arms"])
        if {"level", "train_per_class"} <= set(values):
            _check_shares(values["arms"], parse(DataSettings, data, "the data settings"))
    if "seeds" in values:
        check_seeds(values["seeds"])
    if "gan_seed" in values:
        check_seed(values["gan_seed"], "gan_seed")
    _check_recipes(values)


def _refuse_credentials(values: Mapping[str, Any]) -> None:
    """Refuse credentials in any parameter that is an address: parameters are kept with the run."""
    for name, value in values.items():
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, Mapping):
                waiting += item.values()
            elif isinstance(item, list):
                waiting += item
            elif isinstance(item, str) and "://" in item:
                refuse_credentials(item, f"address in {name}")


def _check_recipes(values: Mapping[str, Any]) -> None:
    """Validate everything that is trained, and its settings."""
    if "sweep" in values:
        _check_sweep(values)
    if "classifier_settings" in values:
        classifier_recipe(values["classifier"], decoded(values["classifier_settings"]))
    if values.get("on_gan_failure", "stop") not in ON_FAILURE:
        raise InputError(
            f"on_gan_failure is {' or '.join(ON_FAILURE)}, not {values['on_gan_failure']!r}."
        )
    if "gan_settings" in values:
        gan_recipe(values["gan"], decoded(values["gan_settings"]))
    if "judge_settings" in values:
        judge = parse(JudgeSettings, decoded(values["judge_settings"]), "the judge's settings")
        classifier_recipe(judge.classifier)
    if "curation_settings" in values:
        parse(CurationSettings, decoded(values["curation_settings"]), "the curation settings")


def _check_sweep(values: Mapping[str, Any]) -> None:
    """Validate a sweep, the settings of its points, and who is to train them."""
    from augstudy.tuning import points
    from augstudy.tuning.sweep import parse_sweep

    sweep = parse_sweep(values["sweep"])
    if "classifier" in values:
        base = values["classifier"], decoded(values["classifier_settings"])
        points.check(sweep, *base, classifier_recipe)
    else:
        points.refuse_search(sweep)
        points.check(sweep, values["gan"], decoded(values["gan_settings"]), gan_recipe)
        if sweep.findings:
            raise InputError("Findings are about classifiers: leave them out of this sweep.")


def _check_arms(arms: Sequence[Any]) -> None:
    if not arms:
        raise InputError("arms is empty: name at least one, for example real.")
    seen = set()
    for item in arms:
        if not isinstance(item, dict):
            raise InputError(f"An arm is a mapping such as {{arm: replace, share: 0.3}}: {item!r}.")
        label = parse(Arm, item, f"arm {item}").label
        if label in seen:
            raise InputError(f"Arm {label} is there twice: remove one.")
        seen.add(label)
    if "real" not in seen:
        raise InputError("Arm real is missing: every other arm is compared with it.")


def _check_shares(arms: Sequence[Any], data: DataSettings) -> None:
    """Refuse a share that is no image, or more real drawings than there are beyond the level."""
    spare = data.train_per_class - data.used_level
    for arm in (arm for item in arms if not (arm := Arm.model_validate(item)).optional):
        needed = shares.images(arm.share, data.used_level)
        if short := shares.shortage(arm, data.used_level):
            raise InputError(f"{short[:-1]}, or give the arm optional: true to leave it out.")
        if arm.kind.extra and needed > spare:
            raise InputError(
                f"Arm {arm.label} needs {needed} real images per class beyond level "
                f"{data.used_level}, but train_per_class leaves {spare}: raise it, or give the arm "
                "optional: true to leave it out at such levels."
            )
