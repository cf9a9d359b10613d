"""``fiducial repo`` as a user meets it: answers, exit codes, mistakes."""

from __future__ import annotations

import json

import pytest

from fiducial.stack.cli.app import run

from .conftest import NAME, snapshot, write


@pytest.fixture
def desk(tmp_path, tree, monkeypatch, capsys):
    """A release manager with a repository of their own."""
    monkeypatch.setenv("FIDUCIAL_CVMFS_KEYS", str(tmp_path / "keys"))
    monkeypatch.chdir(tmp_path)

    def command(*arguments, code=0):
        assert run(["repo", *map(str, arguments)]) == code, capsys.readouterr()
        command.said = capsys.readouterr()
        return command.said.out

    command("create", "srv", "--name", NAME, "--compression", "fast")
    return command


def test_publish_look_check_extract_and_clean_up(desk, tree, tmp_path):
    assert "would become revision 2" in desk("publish", "srv", tree, "/sw/1", "--dry-run")
    assert "revision 2: " in desk("publish", "srv", tree, "/sw/1", "--link", "/sw/latest=1")
    assert "nothing changed (revision 2)" in desk("publish", "srv", tree, "/sw/1")
    assert "revision 2" in desk("tags", "srv", "--add", "v1")
    assert "latest -> 1" in desk("ls", "srv", "/sw")
    assert desk("cat", "srv", "/sw/1/setup.sh") == "export A=1\n"
    assert "15 files" in desk("info", "srv")
    assert "13 files" in desk("extract", "srv", "/sw/1", "out")  # one is a hard link
    assert snapshot(tmp_path / "out") == snapshot(tree)
    assert "revision 3" in desk("remove", "srv", "/sw/1")
    assert "revision 4" in desk("rollback", "srv", "v1")
    assert "would remove" in desk("gc", "srv", "--grace", "0", "--dry-run")
    assert "expires" in desk("resign", "srv", "--days", "10")
    assert "sound (revision 4" in desk("check", "srv")


def test_answers_for_programs(desk, tree):
    record = json.loads(desk("publish", "srv", tree, "/sw/1", "--tag", "v1", "--json"))
    assert record["revision"] == 2 and record["changed"] and record["new_objects"] > 5
    tags = {row["name"] for row in json.loads(desk("tags", "srv", "--json"))}
    assert tags == {"trunk", "trunk-previous", "v1"}
    assert json.loads(desk("check", "srv", "--json"))["sound"]
    assert json.loads(desk("info", "srv", "--json"))["counters"]["symlink"] == 2
    assert {row["name"] for row in json.loads(desk("ls", "srv", "/sw", "--json"))} == {"1"}


def test_damage_is_an_answer_of_no_that_names_it(desk, tree, tmp_path):
    desk("publish", "srv", tree, "/sw/1")
    victim = next(path for path in (tmp_path / "srv/data").rglob("*C"))
    victim.write_bytes(b"rot")
    desk("check", "srv", code=1)
    assert "object changed" in desk.said.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["create", "srv", "--name", NAME, "--existing-keys"], 2, "already"),
        (["create", "other", "--name", "noDots"], 2, "software.example.org"),
        (["create", "other", "--name", "a.b", "--compression", "fats"], 2, "did you mean fast?"),
        (["create", "other", "--name", "a.b", "--digest", "sha256"], 2, "sha1"),
        (["publish", "srv", "nowhere", "/sw/1"], 2, "no directory"),
        (["publish", "srv", "tree", "/a/../b"], 2, "no path in a repository"),
        (["publish", "srv", "tree", "/a", "--setuid", "kep"], 2, "did you mean keep?"),
        (["publish", "srv", "tree", "/a", "--link", "x"], 2, "is no link"),
        (["publish", "nowhere", "tree", "/a"], 2, "no repository of ours"),
        (["remove", "srv", "/sw"], 2, "no /sw in the repository"),
        (["rollback", "srv", "v0"], 2, "no tag 'v0'"),
        (["tags", "srv", "--add", "trunk"], 2, "kept by publishing"),
        (["ls", "nowhere"], 3, "no repository at nowhere"),
        (["ls", "srv", "/nix"], 2, "no /nix in"),
        (["ls", "ftp://x/y"], 2, "is no address"),
        (["info", "srv", "--trust", "tree/setup.sh"], 2, "is refused"),
        (["chekc", "srv"], 2, "No such command"),
    ],
)
def test_mistakes_are_explained(desk, arguments, code, said):
    desk(*arguments, code=code)
    assert said in " ".join(desk.said.err.split())


def test_keys_that_others_can_read_are_refused(desk, tree, tmp_path):
    (tmp_path / f"keys/{NAME}.key").chmod(0o644)
    desk("publish", "srv", tree, "/sw/1", code=3)
    assert "chmod 600" in desk.said.err


def test_warnings_stop_a_strict_publish(desk, tree):
    write(tree / "secret", "x", 0o600)
    desk("publish", "srv", tree, "/sw/1", "--strict", code=2)
    desk("publish", "srv", tree, "/sw/1")
    assert "not everybody can read it" in desk.said.err


def test_an_expiring_whitelist_is_told_at_every_publish(desk, tree):
    desk("publish", "srv", tree, "/sw/1")
    assert "expires" not in desk.said.err
    desk("resign", "srv", "--days", "2")
    desk("publish", "srv", tree, "/sw/1")
    assert "fiducial repo resign" in desk.said.err


def test_usage_is_told_by_part(desk, tree):
    desk("publish", "srv", tree, "/sw/1")
    desk("publish", "srv", tree, "/sw/2")
    write(tree / "large", "x" * 5000)
    desk("publish", "srv", tree, "/sw/2")
    rows = json.loads(desk("du", "srv", "/sw", "--json"))
    assert [(row["path"], row["files"], row["catalogs"]) for row in rows] == [
        ("/sw/2", 16, 1), ("/sw/1", 15, 1),
    ]  # fmt: skip
    assert rows[0]["bytes"] - rows[1]["bytes"] == 5000
    inside = {row["path"]: row["files"] for row in json.loads(desk("du", "srv", "/sw/1", "--json"))}
    assert inside["/sw/1/lib"] == 10 and inside["/sw/1/bin"] == 1
    assert "15 files" in desk("du", "srv", "/sw")
