"""``fiducial buildcache`` drives Spack apart from the user's settings, and judges before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from fiducial.stack.cli.app import run
from fiducial.stack.spack.openpgp import public_path


@pytest.fixture(autouse=True)
def here(made, monkeypatch):
    monkeypatch.setenv("FIDUCIAL_WORKSPACE", str(made.workspace.root))


def calls(program: Path, word: str) -> list[dict]:
    path = program / "calls"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [row for row in rows if word in row["words"]]


def install(made, store: Path, *more: str) -> int:
    words = ["buildcache", "install", "toy", str(made.folder), "--store", str(store), *more]
    return run(words)


def test_what_is_sound_is_installed_from_this_cache_alone_into_this_store_alone(
    made, program, tmp_path, capsys
):
    store = tmp_path / "store"
    assert install(made, store, "--trust", made.fingerprint, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["packages"], answer["new"]) == (2, 2)
    assert answer["signed_by"] == [made.fingerprint]
    (call,) = calls(program, "install")
    assert {"--cache-only", "--only-concrete"} <= set(call["words"])
    assert "--no-check-signature" not in call["words"]
    scopes = {name: yaml.safe_load(text) for name, text in call["scopes"].items()}
    assert list(scopes["mirrors.yaml"]) == ["mirrors:"], "in the place of all other mirrors"
    (mirror,) = scopes["mirrors.yaml"]["mirrors:"].values()
    assert mirror["url"] == made.folder.as_uri() and mirror["signed"] and not mirror["source"]
    assert scopes["config.yaml"]["config"]["install_tree"]["root"] == str(store)
    assert yaml.safe_load(call["specs"])["spack"]["specs"] == ["alpha@1.0"]
    assert call["gnupg"] and not Path(call["gnupg"]).exists(), "the keyring is gone"
    assert not (tmp_path / "home/.gnupg").exists() and not (tmp_path / "home/.spack").exists()


def test_a_second_install_finds_everything_there(made, program, tmp_path, capsys):
    for new in (2, 0):
        assert install(made, tmp_path / "store", "--trust", made.fingerprint, "--json") == 0
        assert json.loads(capsys.readouterr().out)["new"] == new


def test_one_bad_entry_keeps_spack_from_starting(made, program, tmp_path, capsys, keys, sign):
    other, stranger = keys["other"]
    made.put("beta", sign(made.document("beta"), other))
    assert install(made, tmp_path / "store", "--trust", made.fingerprint) == 1
    said = capsys.readouterr().err
    assert f"beta@1.0/{made.hashes['beta'][:7]}: signed by a key that is not trusted" in said
    assert stranger in said and "alpha" not in said and "--trust" in said
    assert calls(program, "install") == []
    both = ["--trust", made.fingerprint, "--trust", str(public_path(other))]
    assert install(made, tmp_path / "store", *both) == 0


def test_a_tampered_package_is_refused_by_name(made, program, tmp_path, capsys):
    digest = json.loads(made.document("alpha"))["data"][0]["checksum"]
    (made.folder / "blobs/sha256" / digest[:2] / digest).write_bytes(b"evil")
    assert install(made, tmp_path / "store", "--trust", made.fingerprint) == 1
    assert "alpha@1.0" in (said := capsys.readouterr().err) and "files were altered" in said
    assert calls(program, "install") == []


def test_unsigned_packages_are_taken_only_when_that_is_said(made, program, tmp_path, capsys):
    made.put("beta", made.document("beta"))
    assert install(made, tmp_path / "store", "--trust", made.fingerprint) == 1
    assert "not signed" in capsys.readouterr().err
    assert install(made, tmp_path / "store", "--unsigned") == 0
    (call,) = calls(program, "install")
    assert "--no-check-signature" in call["words"]


def test_nobody_is_trusted_until_that_is_said(made, program, tmp_path, capsys):
    assert install(made, tmp_path / "store") == 2
    assert "no key is trusted" in capsys.readouterr().err and calls(program, "install") == []


def push(made, *more: str) -> int:
    return run(["buildcache", "push", "toy", str(made.folder), "--key", str(made.key), *more])


def test_what_is_there_is_not_pushed_again(made, program, tmp_path, capsys):
    assert push(made, "--store", str(tmp_path / "store"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["new"] == 0
    assert calls(program, "push") == []


def test_only_what_is_missing_is_pushed_with_our_key(made, program, tmp_path, capsys):
    made.manifest("beta").unlink()
    assert push(made, "--store", str(tmp_path / "store")) == 1, "the stand-in pushes nothing"
    assert "is not as it was pushed" in capsys.readouterr().err
    (call,) = calls(program, "push")
    assert f"/{made.hashes['beta']}" in call["words"]
    assert f"/{made.hashes['alpha']}" not in call["words"]
    assert call["words"][call["words"].index("--key") + 1] == made.fingerprint
    assert calls(program, "publish")


def test_entries_of_others_are_not_pushed_over_unless_that_is_said(
    made, program, capsys, keys, sign
):
    other, stranger = keys["other"]
    made.put("beta", sign(made.document("beta"), other))
    assert push(made) == 1
    assert stranger in (said := capsys.readouterr().err) and "--force" in said
    assert calls(program, "push") == []
    push(made, "--force")
    (call,) = calls(program, "push")
    assert "--force" in call["words"]


def test_what_spack_says_when_it_fails_is_one_error(made, program, capsys):
    made.manifest("beta").unlink()
    (program / "fails").write_text("==> Error: [Errno 28] No space left on device\n")
    assert push(made) == 3
    assert "no space left" in capsys.readouterr().err


def test_a_list_says_who_signed_and_answers_for_an_environment(made, keys, sign, capsys):
    assert run(["buildcache", "list", str(made.folder), "--trust", made.fingerprint]) == 0
    said = capsys.readouterr().out
    assert said.count(f"signed by {made.fingerprint}") == 2 and "2 packages, 2 good" in said
    made.put("beta", sign(made.document("beta"), keys["other"][0]))
    arguments = ["buildcache", "list", str(made.folder), "--trust", made.fingerprint]
    assert run([*arguments, "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["alpha"]["problem"] is None and rows["beta"]["signed_by"] == keys["other"][1]
    assert run([*arguments, "--for", "toy"]) == 1
    assert "does not have all of toy" in capsys.readouterr().err


def test_a_key_is_made_and_told_by_its_fingerprint(tmp_path, capsys):
    assert run(["buildcache", "key", str(tmp_path / "k.asc"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert len(record["fingerprint"]) == 40 and Path(record["public"]).is_file()
    assert run(["buildcache", "key", str(tmp_path / "k.asc")]) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["push", "tou", "DIR"], 2, "did you mean toy"),
        (["push", "toy", "DIR", "--unsigned", "--key", "x"], 2, "is signed, or it is not"),
        (["push", "toy", "ftp://x/y"], 2, "no kind of build cache"),
        (["push", "toy", "DIR", "--key", "none.asc"], 2, "no signing key at"),
        (["install", "toy", "DIR"], 2, "--store"),
        (["install", "toy", "DIR", "--store", "S", "--trust", "me"], 2, "names no key"),
        (["list", "s3://bucket/x"], 2, "is read by Spack only"),
    ],
)
def test_mistakes_are_told_with_a_way_out(tmp_path, capsys, arguments, code, said):
    words = [str(tmp_path / "cache") if word == "DIR" else word for word in arguments]
    assert run(["buildcache", *words]) == code
    assert said in capsys.readouterr().err


def test_a_host_without_spack_is_told_so(made, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert install(made, tmp_path / "store", "--trust", made.fingerprint) == 3
    assert "no Spack found" in capsys.readouterr().err
