"""Keys of build caches are files; whose signatures count is said by the user alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistakes
from fiducial.stack.spack.build_cache_trust import trusted_keyring
from fiducial.stack.spack.openpgp import (
    Standing,
    create_key,
    default_secret_path,
    keyring,
    public_path,
    read_secret,
)


def test_a_key_is_made_for_us_alone_and_never_overwritten(tmp_path):
    path = tmp_path / "keys" / "site.asc"
    fingerprint = create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"PRIVATE" not in public_path(path).read_bytes()
    with keyring({"it": read_secret(path)}) as ring:
        assert ring.secret_fingerprints() == [fingerprint] == ring.public_fingerprints()
    before = path.read_bytes()
    with pytest.raises(InputError, match="is never overwritten"):
        create_key(path)
    assert path.read_bytes() == before


def test_the_users_keyring_is_neither_read_nor_written(tmp_path, keys, sign):
    path, _ = keys["ours"]
    with keyring({"it": public_path(path).read_bytes()}) as ring:
        assert ring.judge(sign("{}", path).encode()).standing is Standing.GOOD
        home = ring.home
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not home.exists() and not (tmp_path / "home/.gnupg").exists()


def test_a_signing_key_that_others_can_read_is_refused(tmp_path, keys):
    copy = tmp_path / "copy.asc"
    copy.write_bytes(keys["ours"][0].read_bytes())
    copy.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        read_secret(copy)
    with pytest.raises(InputError, match="fiducial buildcache key"):
        read_secret(tmp_path / "none.asc")


def test_a_host_without_gpg_is_told_so(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EnvironmentProblem, match="no gpg found"), keyring():
        pass


def test_a_signature_is_worth_what_its_key_and_its_text_are_worth(keys, sign):
    (ours, fingerprint), (other, stranger) = keys["ours"], keys["other"]
    good = sign('{"a": 1}', ours)
    with keyring({"ours": public_path(ours).read_bytes()}) as ring:
        found = ring.judge(good.encode())
        assert (found.standing, found.fingerprint) == (Standing.GOOD, fingerprint)
        assert found.payload.strip() == b'{"a": 1}'
        foreign = ring.judge(sign('{"a": 1}', other).encode())
        assert (foreign.standing, foreign.fingerprint) == (Standing.UNTRUSTED, stranger)
        assert ring.judge(b'{"a": 1}').standing is Standing.UNSIGNED
        assert ring.judge(b"").standing is Standing.UNSIGNED
        for text in (
            good.replace('"a": 1', '"a": 2'),
            good + '{"a": 2}',
            good + good,
            good[: len(good) // 2],
            good.replace("\n\n", "\nEvil: header\n\n", 1).replace("Hash:", "Comment:"),
        ):
            found = ring.judge(text.encode())
            assert found.standing is Standing.BAD and found.payload == b"", text


def test_a_fingerprint_is_trusted_with_the_key_that_the_cache_publishes(made, keys):
    with trusted_keyring(made.cache, [made.fingerprint]) as ring:
        assert ring.public_fingerprints() == [made.fingerprint]
    spaced = " ".join(made.fingerprint.lower())
    with trusted_keyring(made.cache, [spaced]) as ring:
        assert ring.public_fingerprints() == [made.fingerprint]


def test_a_cache_that_publishes_another_key_under_a_trusted_name_is_refused(made, keys):
    other, stranger = keys["other"]
    made.publish(made.fingerprint, public_path(other).read_bytes())
    said = pytest.raises(Mistakes, match=f"another key in its name.*{stranger}")
    with said, trusted_keyring(made.cache, [made.fingerprint]):
        pass


def test_trust_is_given_by_files_and_folders_too(made, keys, tmp_path):
    ours, other = keys["ours"][0], keys["other"][0]
    folder = tmp_path / "trusted"
    folder.mkdir()
    (folder / "a.pub.asc").write_bytes(public_path(ours).read_bytes())
    (folder / "b.pub.asc").write_bytes(public_path(other).read_bytes())
    listed = tmp_path / "list.txt"
    listed.write_text(f"# who signs here\n{made.fingerprint}  # the release manager\n\n")
    for item, count in ((folder, 2), (listed, 1), (public_path(other), 1)):
        with trusted_keyring(made.cache, [str(item)]) as ring:
            assert len(ring.public_fingerprints()) == count


def test_without_a_word_the_users_own_key_and_folder_count(made, keys):
    with trusted_keyring(made.cache, None) as ring:
        assert ring.public_fingerprints() == []
    own = default_secret_path()
    fingerprint = create_key(own)
    folder = own.parent.parent / "trusted"
    folder.mkdir()
    (folder / "x.pub.asc").write_bytes(public_path(keys["other"][0]).read_bytes())
    with trusted_keyring(made.cache, None) as ring:
        assert set(ring.public_fingerprints()) == {fingerprint, keys["other"][1]}


def test_all_that_names_no_key_is_told_at_once(made, tmp_path):
    (tmp_path / "notes.txt").write_text("hello\n")
    names = ["nobody", str(tmp_path / "notes.txt"), "A" * 40]
    with pytest.raises(Mistakes) as caught, trusted_keyring(made.cache, names):
        pass
    assert [Path(row.where).name for row in caught.value.mistakes] == [
        "nobody",
        "notes.txt",
        "A" * 40,
    ]
