"""The steps of a study as commands: folders in, a folder out."""

from pathlib import Path
from typing import Annotated

import typer

from augstudy.cli import options
from augstudy.core.errors import InputError
from augstudy.settings.arms import Arm
from augstudy.settings.base import parse
from augstudy.settings.classifier import ClassifierSettings
from augstudy.settings.comparing import ComparisonSettings
from augstudy.settings.data import DataSettings
from augstudy.settings.generators import DiffusionSettings, GanSettings, OnFailure
from augstudy.settings.judging import CurationSettings, JudgeSettings

_DATA = DataSettings()
_COMPARISON = ComparisonSettings()
_Source = Annotated[str, options.setting(DataSettings, "source")]
_Train = Annotated[int, options.setting(DataSettings, "train_per_class")]
_Val = Annotated[int, options.setting(DataSettings, "val_per_class")]
_Test = Annotated[int, options.setting(DataSettings, "test_per_class")]
_Level = Annotated[int, options.setting(DataSettings, "level")]
_Seed = Annotated[int, typer.Option(help="Seed of all that is random here.")]
_Evaluations = Annotated[
    list[Path], typer.Option("--evaluation", help="Evaluation folder; give one per arm.")
]
_Cams = Annotated[list[Path], typer.Option("--cam", help="CAM folder; can be repeated.")]
_Gan = Annotated[Path, typer.Option(help="GAN folder, made by 'augstudy train-gan'.")]
_Recipe = Annotated[str, typer.Option(help="modern, baseline, report_best, or another recipe.")]
_Judge = Annotated[
    Path | None, typer.Option(help="Folder made by 'augstudy train-judge', if there is one.")
]
_Metric = Annotated[str, options.setting(ComparisonSettings, "metric")]
_Margin = Annotated[float, options.setting(ComparisonSettings, "equivalence_margin")]
_Classifier = Annotated[Path, typer.Option(help="Folder made by 'augstudy train-cnn'.")]


def ingest(
    out: options.Out,
    source: _Source = _DATA.source,
    classes: Annotated[
        str, typer.Option(help="Names of the classes, separated by commas; by default all.")
    ] = ",".join(_DATA.classes),
    train_per_class: _Train = _DATA.train_per_class,
    val_per_class: _Val = _DATA.val_per_class,
    test_per_class: _Test = _DATA.test_per_class,
    level: _Level = _DATA.level,
    seed: Annotated[int, options.setting(DataSettings, "seed")] = _DATA.seed,
    cache: Annotated[Path | None, typer.Option(help="Folder for downloads.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ignore the cache.")] = False,
) -> None:
    """Read images, choose some at random and split them: source -> dataset.

    Only the bytes that are needed are read. Identical images never end up in two splits, and the
    images of a level are among those of every higher level.

    Example: augstudy ingest --source gs://quickdraw_dataset/full/numpy_bitmap
    --classes camel,cow --train-per-class 254 --out work/dataset
    """
    values = {
        "source": source,
        "classes": [item.strip() for item in classes.split(",") if item.strip()],
        "train_per_class": train_per_class,
        "val_per_class": val_per_class,
        "test_per_class": test_per_class,
        "level": level,
        "seed": seed,
    }
    settings = parse(DataSettings, values, "the data settings")
    from augstudy.steps.ingest import run

    run(out, settings, cache=cache, refresh=refresh)


def train_judge(
    dataset: options.Dataset,
    out: options.Out,
    settings: options.Settings = [],  # noqa: B006
) -> None:
    """Train the judge, the classifier that measures synthetic images: dataset -> judge."""
    from augstudy.settings.parsing import parse_assignments

    parsed = parse(JudgeSettings, parse_assignments(settings), "the judge's settings")
    from augstudy.steps.train_judge import run

    run(dataset, out, parsed)


def train_gan(
    dataset: options.Dataset,
    out: options.Out,
    recipe: Annotated[
        str,
        typer.Option(help="compact, diffusion, report (that of the student report), or another."),
    ] = "compact",
    settings: options.Settings = [],  # noqa: B006
    seed: _Seed = 0,
    on_failure: Annotated[
        OnFailure, typer.Option(help="stop with an error; or skip: publish it, marked as failed.")
    ] = "stop",
    judge: _Judge = None,
) -> None:
    """Train a generator on the training images of the level: dataset -> gan."""
    from augstudy.models.gan_recipes import gan_recipe
    from augstudy.settings.parsing import parse_assignments

    parsed = gan_recipe(recipe, parse_assignments(settings))
    from augstudy.steps.train_gan import run

    run(dataset, out, parsed, seed=seed, judge=judge, on_failure=on_failure)


def synthesize(
    gan: _Gan,
    out: options.Out,
    per_class: Annotated[int, typer.Option(min=1, help="Images a class.")],
    seed: _Seed = 0,
    dataset: Annotated[
        Path | None, typer.Option(help="Dataset folder; with --judge, images are measured.")
    ] = None,
    judge: _Judge = None,
) -> None:
    """Draw labelled images with a generator and measure them: gan, dataset, judge -> synthetic.

    Example: augstudy synthesize --gan work/gan --per-class 60 --dataset work/dataset
    --judge work/judge --out work/synthetic
    """
    from augstudy.steps.synthesize import run

    run(gan, out, per_class, seed=seed, dataset=dataset, judge=judge)


def curate(
    dataset: options.Dataset,
    out: options.Out,
    synthetic: Annotated[Path | None, typer.Option(help="Synthetic images to filter.")] = None,
    real: Annotated[
        bool, typer.Option("--real", help="Filter the training images, too, by cross-fitting.")
    ] = False,
    recipe: _Recipe = "modern",
    settings: options.Settings = [],  # noqa: B006
    seed: _Seed = 0,
) -> None:
    """Filter images by whether a classifier agrees with their labels: dataset -> curation.

    The classifier learns from the training images. An image is kept if the classifier agrees with
    its label and is at least as sure as it is, on average, of validation images of that class.
    """
    from augstudy.models.recipes import classifier_recipe
    from augstudy.settings.parsing import parse_assignments

    values = parse_assignments(settings)
    own = {name: values.pop(name) for name in CurationSettings.model_fields if name in values}
    parsed = parse(CurationSettings, own, "the curation settings")
    classifier = classifier_recipe(recipe, values)
    from augstudy.steps.curate import run

    run(dataset, out, parsed, classifier, seed, synthetic, real)


def train_cnn(
    dataset: options.Dataset,
    out: options.Out,
    arm: Annotated[str, typer.Option(help="real, classic, replace:0.3, add:1, ...")] = "real",
    seeds: Annotated[str, typer.Option(help="Repetitions: 0,1,2 or 0-9.")] = "0",
    recipe: _Recipe = "modern",
    settings: options.Settings = [],  # noqa: B006
    synthetic: Annotated[
        Path | None, typer.Option(help="Synthetic images, for the arms that use them.")
    ] = None,
    curation: Annotated[
        Path | None, typer.Option(help="Folder made by 'augstudy curate', for filtered arms.")
    ] = None,
) -> None:
    """Train one classifier per seed on the training set of an arm: dataset -> classifier."""
    from augstudy.models.recipes import classifier_recipe
    from augstudy.settings.parsing import parse_arms, parse_assignments, parse_integers

    parsed = classifier_recipe(recipe, parse_assignments(settings))
    arms = [parse(Arm, item, "--arm") for item in parse_arms(arm)]
    if len(arms) != 1:
        raise InputError(f"--arm must name one arm, not {arm!r}.")
    from augstudy.steps.train_cnn import run

    whole = parse_integers(seeds, "--seeds")
    run(dataset, out, arms[0], whole, parsed, synthetic=synthetic, curation=curation)


def evaluate(
    dataset: options.Dataset,
    classifier: _Classifier,
    out: options.Out,
    gan: Annotated[
        Path | None, typer.Option(help="Also evaluate this GAN's discriminator as a classifier.")
    ] = None,
) -> None:
    """Evaluate classifiers on the test images: dataset, classifier -> evaluation.

    Example: augstudy evaluate --dataset work/dataset --classifier work/real --out work/real-eval
    """
    from augstudy.steps.evaluate import run

    run(dataset, classifier, out, gans={"gan": gan} if gan else None)


def cam(
    classifier: _Classifier,
    evaluation: Annotated[Path, typer.Option(help="Folder made by 'augstudy evaluate'.")],
    out: options.Out,
) -> None:
    """Show where a classifier looks (Grad-CAM): classifier, evaluation -> maps.

    Example: augstudy cam --classifier work/real --evaluation work/real-eval --out work/real-cam
    """
    from augstudy.steps.cam import run

    run(classifier, evaluation, out)


def summarize(
    dataset: options.Dataset,
    evaluations: _Evaluations,
    out: options.Out,
    cams: _Cams = [],  # noqa: B006
    gan: Annotated[Path | None, typer.Option(help="GAN folder, if there is one.")] = None,
    synthetic: Annotated[Path | None, typer.Option(help="Synthetic images, if any.")] = None,
    curation: Annotated[Path | None, typer.Option(help="Curation folder, if any.")] = None,
    settings: options.Settings = [],  # noqa: B006
    equivalence_margin: _Margin = _COMPARISON.equivalence_margin,
    metric: _Metric = _COMPARISON.metric,
) -> None:
    """Compare arms and write the report: evaluations -> report.

    With --set, add facts to the report, such as classifier=modern.

    Example: augstudy summarize --dataset work/dataset --evaluation work/real-eval
    --evaluation work/add-eval --out work/report
    """
    from augstudy.settings.parsing import parse_assignments
    from augstudy.steps.summarize import run

    study = parse_assignments(settings)
    given = {"gan": gan, "images": synthetic, "filter": curation}
    own = {name: path for name, path in given.items() if path}
    real = {"filter": curation} if curation else {}
    values = {"equivalence_margin": equivalence_margin, "metric": metric}
    comparing = parse(ComparisonSettings, values, "the comparison")
    run(
        dataset,
        out,
        evaluations,
        cams,
        {"synthetic": own, "": real} if own else {"": real},
        study,
        margin=comparing.equivalence_margin,
        metric=comparing.metric,
    )


def _extend(command: object, text: str) -> None:
    command.__doc__ = f"{command.__doc__}\n\n{text}"


_extend(
    train_judge,
    f"""    Settings for --set: {options.table_of_settings(JudgeSettings)}.

    Example: augstudy train-judge --dataset work/dataset --out work/judge --set steps=2000
    """,
)
_extend(
    train_gan,
    f"""    Settings for --set: {options.table_of_settings(GanSettings)}.

    Of recipe diffusion: {options.table_of_settings(DiffusionSettings)}.

    Example: augstudy train-gan --dataset work/dataset --out work/gan --set steps=3000
    """,
)
_extend(
    curate,
    f"""    Settings for --set: {options.table_of_settings(CurationSettings)}, and those of
    train-cnn.

    Example: augstudy curate --dataset work/dataset --synthetic work/synthetic --out work/curation
    """,
)
_extend(
    train_cnn,
    f"""    Settings for --set: {options.table_of_settings(ClassifierSettings)}.

    Example: augstudy train-cnn --dataset work/dataset --arm add:1 --synthetic work/synthetic
    --seeds 0-2 --set epochs=20 --set optimizer.learning_rate=0.001 --out work/add
    """,
)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (
        ingest,
        train_judge,
        train_gan,
        synthesize,
        curate,
        train_cnn,
        evaluate,
        cam,
        summarize,
    ):
        name = command.__name__.replace("_", "-")
        options.add(app, name, command, "Steps of a study")
