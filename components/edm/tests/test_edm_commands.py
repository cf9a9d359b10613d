"""`fiducial edm` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fiducial.core.errors import FiducialError
from fiducial.edm.commands import GENERATED, app

RUNNER = CliRunner()


def run(*words: str) -> str:
    result = RUNNER.invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refuse(*words: str) -> FiducialError:
    with pytest.raises(FiducialError) as caught:
        RUNNER.invoke(app, list(words), catch_exceptions=False)
    return caught.value


def test_every_command_helps_with_an_example() -> None:
    for name in ("show", "check", "generate", "docs"):
        assert "Example: fiducial edm" in run(name, "--help")


def test_types_are_shown() -> None:
    assert "edm4hep::ReconstructedParticle" in run("show")
    text = run("show", "MCParticle")
    assert "momentum.x" in text and "[GeV]" in text and "float64" in text
    record = json.loads(run("show", "edm4hep::Track", "--json"))
    assert record["vectors"]["trackStates"]["covMatrix"] == {"dtype": "float32", "shape": [21]}
    assert record["relations"]["trackerHits"]["targets"][0] == "edm4hep::TrackerHit3D"
    assert len(json.loads(run("show", "--json"))) > 20


def test_an_unknown_type_is_refused_with_the_nearest_names() -> None:
    error = refuse("show", "MCPartcle")
    assert error.exit_code == 2 and "did you mean MCParticle" in str(error)


def test_the_project_is_fresh() -> None:
    assert "27 types are consistent" in run("check")
    assert json.loads(run("check", "--json"))["problems"] == []
    assert "up to date" in run("generate", "--dry-run")


def test_a_model_of_ones_own_is_checked(tmp_path: Path) -> None:
    model = tmp_path / "mine.yaml"
    model.write_text(
        "schema_version: 1\ndatatypes:\n  my::Jet:\n    Description: a jet\n    Author: me\n"
        "    Members:\n      - edm4hep::Vector3f axis // direction\n"
        "    OneToManyRelations:\n      - edm4hep::ReconstructedParticle constituents // parts\n"
    )
    assert "1 types are consistent" in run("check", str(model))
    model.write_text(model.read_text().replace("Vector3f", "Vector3").replace("Author", "Auhtor"))
    error = refuse("check", str(model))
    assert error.exit_code == 2
    assert f"{model}:5" in str(error) and f"{model}:7" in str(error) and "Vector3f" in str(error)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    assert refuse("check", str(tmp_path / "none.yaml")).exit_code == 2
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    assert "is not text" in str(refuse("check", str(tmp_path / "bytes.yaml")))
    assert refuse("check", str(tmp_path)).exit_code == 3


def test_code_is_generated_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "made"
    assert "would write" in run("generate", "--out", str(out), "--dry-run") and not out.exists()
    run("generate", "--out", str(out))
    assert {p.name: p.read_text() for p in out.iterdir()} == {
        p.name: p.read_text() for p in GENERATED.glob("*.py")
    }
    (out / "track.py").write_text("broken")
    assert "track.py differs" in run("generate", "--out", str(out))
    assert (out / "track.py").read_text() == (GENERATED / "track.py").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["made"]


def test_a_folder_of_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert "other files" in str(refuse("generate", "--out", str(tmp_path)))
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_the_page_is_written(tmp_path: Path) -> None:
    page = tmp_path / "edm.md"
    run("docs", "--out", str(page), "--dry-run")
    assert not page.exists()
    assert json.loads(run("docs", "--out", str(page), "--json"))["written"] is True
    assert "### edm4hep::MCParticle" in page.read_text()
    assert "up to date" in run("docs", "--out", str(page))
    assert refuse("docs", "--out", str(tmp_path / "none" / "edm.md")).exit_code == 2
