"""Reading model files together: the project's own, and others that build on them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fiducial.core.errors import Mistakes
from fiducial.edm.definition.model import Model
from fiducial.edm.definition.parse import parse_model
from fiducial.edm.definition.validate import inconsistencies

__all__ = ["MODEL_DIRECTORY", "project_models", "read_models"]

MODEL_DIRECTORY = Path(__file__).parent.parent / "model"

#: EDM4hep's types, then ours, which may refer to them.
MODEL_FILES = ("edm4hep.yaml", "fiducial.yaml")


def read_models(texts: Mapping[str, str], base: tuple[Model, ...] = ()) -> tuple[Model, ...]:
    """The models in ``texts`` (by name), which may use the types of each other and of ``base``.

    Raises Mistakes with all of them: of grammar, and of names that lead nowhere.
    """
    parsed = [parse_model(text, name) for name, text in texts.items()]
    models = tuple(model for model, _ in parsed)
    mistakes = [mistake for _, found in parsed for mistake in found]
    mistakes += inconsistencies((*base, *models))
    if mistakes:
        raise Mistakes(mistakes, ", ".join(texts))
    return models


@cache
def project_models() -> tuple[Model, ...]:
    """The project's own models."""
    return read_models({name: (MODEL_DIRECTORY / name).read_text("utf-8") for name in MODEL_FILES})
