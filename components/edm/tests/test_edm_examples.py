"""The examples in the pages run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fiducial.edm.definition.load import project_models, read_models

COMPONENT = Path(__file__).resolve().parents[1]
DOCS = COMPONENT.parents[1] / "docs"


def blocks(page: Path, language: str) -> list[str]:
    if not page.is_file():
        pytest.skip(f"no {page.name} beside this component")
    found = re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{page} has no example"
    return found


@pytest.mark.parametrize(
    "page", [COMPONENT / "README.md", DOCS / "reference" / "edm.md"], ids=lambda p: p.stem
)
def test_the_examples_run(page: Path) -> None:
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), {})


def test_the_model_in_the_format_page_is_a_good_one() -> None:
    (text,) = blocks(DOCS / "formats" / "edm-model.md", "yaml")
    (model,) = read_models({"page": text}, project_models())
    assert [d.name for d in model.datatypes] == ["my::Jet"]
