"""The reference page of the data model, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from fiducial.edm.definition.generate import environment
from fiducial.edm.definition.layout import Layout
from fiducial.edm.definition.model import Model

__all__ = ["document"]


def document(models: Sequence[Model]) -> str:
    """The page docs/reference/edm.md of validated models."""
    layout = Layout(models)
    return (
        environment()
        .get_template("reference.md.j2")
        .render(
            models=models,
            layout=layout,
            schemas=list(layout.schemas()),
            interfaces=[i for model in models for i in model.interfaces],
            components=[c for model in models for c in model.components],
        )
    )
