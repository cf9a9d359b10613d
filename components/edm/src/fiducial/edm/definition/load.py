"""The project's own models, from the files beside this package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fiducial.edm.definition.model import Model
from fiducial.edm.definition.parse import parse_model_file
from fiducial.edm.definition.validate import validate

__all__ = ["MODEL_DIRECTORY", "project_models"]

MODEL_DIRECTORY = Path(__file__).parent.parent / "model"

#: EDM4hep's types, then ours, which may refer to them.
MODEL_FILES = ("edm4hep.yaml", "fiducial.yaml")


@cache
def project_models() -> tuple[Model, ...]:
    """Parsed and validated; raises Mistakes."""
    models = tuple(parse_model_file(MODEL_DIRECTORY / name, name) for name in MODEL_FILES)
    validate(models)
    return models
