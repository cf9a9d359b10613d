"""``fiducial mirror`` as a user meets it: what it prints, its exit codes, its mistakes."""

from __future__ import annotations

import json

import pytest

from fiducial.stack.cli.app import run


@pytest.fixture(autouse=True)
def here(site, monkeypatch):
    monkeypatch.setenv("FIDUCIAL_WORKSPACE", str(site.workspace.root))


def test_create_says_what_it_did_and_check_that_it_holds(site, tmp_path, capsys):
    folder = str(tmp_path / "mirror")
    assert run(["mirror", "create", "toy", folder, "--dry-run"]) == 0
    assert "would fetch 3 of 3 files of toy" in capsys.readouterr().out
    assert not (tmp_path / "mirror").exists()
    assert run(["mirror", "create", "toy", folder]) == 0
    assert "is complete for toy: 3 files" in capsys.readouterr().out
    assert run(["mirror", "create", "toy", folder, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["files"], answer["fetched"], answer["complete"]) == (3, 0, True)
    assert run(["mirror", "check", folder]) == 0
    assert "is whole and complete for toy: 3 files" in capsys.readouterr().out


def test_check_answers_no_with_names_and_says_how_to_repair(tmp_path, capsys):
    folder = tmp_path / "mirror"
    assert run(["mirror", "create", "toy", str(folder)]) == 0
    (folder / "py-beta/py-beta-1.0").resolve().write_bytes(b"rot")
    (folder / "own.txt").write_text("mine")
    capsys.readouterr()
    assert run(["mirror", "check", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "corrupt: py-beta@1.0" in said and "superfluous: own.txt" in said
    assert f"fiducial mirror check {folder} --repair" in said
    assert run(["mirror", "check", str(folder), "--repair"]) == 1
    assert "--repair --prune" in capsys.readouterr().err
    assert run(["mirror", "check", str(folder), "--repair", "--prune", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["whole"] is True


def test_a_repair_outside_of_a_checkout_works_too(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "mirror"
    assert run(["mirror", "create", "toy", str(folder)]) == 0
    (folder / "py-beta/py-beta-1.0").resolve().unlink()
    monkeypatch.delenv("FIDUCIAL_WORKSPACE")
    monkeypatch.chdir(tmp_path)
    assert run(["mirror", "check", str(folder), "--repair"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "tou", "DIR"], "did you mean toy"),
        (["create", "toy", "DIR", "--builder", "spack"], "no lock at"),
        (["check", "DIR"], "is no source mirror"),
        (["check", "DIR", "--prune"], "without --repair nothing is changed"),
    ],
)
def test_mistakes_are_told_with_a_way_out(tmp_path, capsys, arguments, said):
    words = [str(tmp_path / "nowhere") if word == "DIR" else word for word in arguments]
    assert run(["mirror", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
