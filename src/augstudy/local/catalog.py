"""Finds pipelines, their parameters and their presets.

A pipeline is named either like its module in ``pipelines/`` or by the path of a Python file; its
function has the name of the module.
"""

import ast
import contextlib
import difflib
import importlib
import importlib.util
import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from augstudy import dags
from augstudy.core.errors import InputError
from augstudy.models.recipes import merged
from augstudy.settings.base import short


@dataclass(frozen=True)
class Parameter:
    """A parameter of a pipeline; `kind` is KFP's name of the type, such as ``NUMBER_INTEGER``.

    ``text`` is what the pipeline's docstring says of it.
    """

    name: str
    kind: str
    default: Any
    required: bool
    text: str = ""


def folder() -> Path:
    """The folder of the pipelines."""
    return dags.ROOT / "pipelines"


def names() -> list[str]:
    """Names of the pipelines that can be run."""
    return [path.stem for path in sorted(folder().glob("*.py")) if _is_runnable(path)]


def load(name: str) -> Any:
    """Import a pipeline: KFP's graph component.

    Raises:
        InputError: there is no such pipeline.
    """
    path = locate(name)
    if importlib.util.find_spec("kfp") is None:
        raise InputError(
            "Pipelines need KFP, which is not installed: pip install 'augstudy[pipelines]'."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = _import(path)
    pipeline = getattr(module, path.stem, None)
    if pipeline is None or not hasattr(pipeline, "pipeline_spec"):
        raise InputError(f"{path} defines no pipeline named {path.stem!r}: rename its function.")
    return pipeline


def locate(name: str) -> Path:
    """The file that defines pipeline `name`.

    Raises:
        InputError: there is no such pipeline.
    """
    if name.endswith(".py"):
        if not Path(name).is_file():
            raise InputError(f"There is no file {name}: name a pipeline or an existing file.")
        return Path(name).resolve()
    path = folder() / f"{name.replace('-', '_')}.py"
    if not path.is_file() or not _is_runnable(path):
        raise unknown("pipeline", name, names())
    return path


def parameters(pipeline: Any) -> dict[str, Parameter]:
    """The parameters of a loaded pipeline by name, with their defaults."""
    from google.protobuf import json_format

    root = json_format.MessageToDict(pipeline.pipeline_spec)["root"]
    definitions = root.get("inputDefinitions", {}).get("parameters", {})
    return {
        name: Parameter(
            name=name,
            kind=item["parameterType"],
            default=_whole(item.get("defaultValue"), item["parameterType"]),
            required="defaultValue" not in item and not item.get("isOptional", False),
            text=" ".join(item.get("description", "").split()),
        )
        for name, item in definitions.items()
    }


def presets(pipeline: str = "") -> list[str]:
    """Names of the presets that a pipeline has for itself, or of those for any pipeline."""
    return [path.stem for path in sorted((folder() / "presets" / pipeline).glob("*.yaml"))]


def load_preset(name: str, pipeline: str = "") -> dict[str, Any]:
    """Parameters that a preset sets; `name` may also be the path of a YAML file.

    A preset that `pipeline` has for itself comes before one for any. One that ``extends`` another
    of the same folder sets what that one sets, with its own changes on top.

    Raises:
        InputError: there is no such preset, or it is not a mapping.
    """
    if name.endswith((".yaml", ".yml")):
        return _read_preset(Path(name))
    shared, own = folder() / "presets", folder() / "presets" / Path(pipeline).stem
    for path in (own / f"{name}.yaml", shared / f"{name}.yaml"):
        if path.is_file():
            return _read_preset(path)
    for path in sorted(shared.glob("*/*.yaml")):
        if path.stem == name:
            raise InputError(
                f"Preset {name} is one of pipeline {path.parent.name}: run that, with "
                f"'augstudy run {path.parent.name} --preset {name}', or choose another preset."
            )
    raise unknown("preset", name, {*presets(), *presets(Path(pipeline).stem)})


def _read_preset(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_bytes())
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"Preset {path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise InputError(f"Preset {path} must be a mapping of parameters to values.")
    base = content.pop("extends", None)
    return merged(_read_preset(path.with_name(f"{base}.yaml")), content) if base else content


def unknown(what: str, name: str, known: Iterable[str], of: str = "") -> InputError:
    """The error for a name that does not exist, with the nearest names that do."""
    options = sorted(known)
    near = difflib.get_close_matches(name, options, n=3, cutoff=0.6)
    sentence = f"There is no {what} {short(name)}{f' of {of}' if of else ''}"
    if near:
        return InputError(f"{sentence}; did you mean {' or '.join(near)}?")
    return InputError(f"{sentence}; there are: {', '.join(options) or 'none'}.")


def _is_runnable(path: Path) -> bool:
    """Whether a file defines a pipeline of its own name that needs no artifact as input."""
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == path.stem:
            annotations = [ast.unparse(arg.annotation) for arg in node.args.args if arg.annotation]
            return not any("Input[" in text for text in annotations)
    return False


def _import(path: Path) -> ModuleType:
    if path.parent == folder():
        return importlib.import_module(f"{dags.__name__}.pipelines.{path.stem}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with contextlib.redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
    return module


def _whole(value: Any, kind: str) -> Any:
    """Undo protobuf's habit of keeping every number as a float."""
    if isinstance(value, dict):
        return {key: _whole(item, "") for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item, "") for item in value]
    if isinstance(value, float) and value.is_integer() and kind != "NUMBER_DOUBLE":
        return int(value)
    return value
