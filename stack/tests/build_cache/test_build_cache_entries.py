"""An entry of a build cache is good, or the reason why it is not has a name."""

from __future__ import annotations

import functools
import http.server
import json
import threading

import pytest

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.spack.build_cache_entries import (
    Wanted,
    judge_entries,
    list_entries,
    open_cache,
)
from fiducial.stack.spack.openpgp import Standing, keyring, public_path


def judged(made, unsigned=False, cache=None):
    with keyring({"ours": public_path(made.key).read_bytes()}) as ring:
        found = judge_entries(cache or made.cache, made.concrete.wanted, ring, unsigned)
    return {row.wanted.name: row for row in found}


def test_a_sound_cache_is_found_sound(made):
    rows = judged(made)
    assert rows.keys() == {"alpha", "beta"}, "the host's python is in no cache"
    assert {row.problem for row in rows.values()} == {""}
    assert {row.fingerprint for row in rows.values()} == {made.fingerprint}
    assert all(row.size > 100 for row in rows.values())


def test_a_package_that_is_not_there_is_named(made):
    made.manifest("beta").unlink()
    rows = judged(made)
    assert "not in the build cache" in rows["beta"].problem and not rows["alpha"].problem


def test_a_manifest_of_another_package_is_found_though_its_signature_is_good(made):
    made.put("beta", made.manifest("alpha").read_text())
    row = judged(made)["beta"]
    assert row.standing is Standing.GOOD
    assert row.problem == "its manifest is that of another package"


def test_a_signature_of_a_stranger_is_refused_by_its_fingerprint(made, keys, sign):
    other, stranger = keys["other"]
    made.put("beta", sign(made.document("beta"), other))
    row = judged(made)["beta"]
    assert row.problem == f"signed by a key that is not trusted ({stranger})"


def test_an_unsigned_entry_is_refused_unless_that_is_allowed(made):
    made.put("beta", made.document("beta"))
    assert judged(made)["beta"].problem == "not signed"
    assert judged(made, unsigned=True)["beta"].problem == ""


def test_an_altered_manifest_is_refused(made):
    path = made.manifest("beta")
    path.write_text(path.read_text().replace('"version": 3', '"version":  3'))
    assert judged(made)["beta"].problem == "its signature is not right"


@pytest.mark.parametrize("unsigned", [False, True])
@pytest.mark.parametrize("kind", ["tar", "spec"])
@pytest.mark.parametrize("damage", ["altered", "truncated", "missing"])
def test_damaged_blobs_are_found_whoever_signed(made, kind, damage, unsigned):
    document = json.loads(made.document("beta"))
    (row,) = [row for row in document["data"] if f"{kind}" in row["mediaType"].split("spack.")[1]]
    digest = row["checksum"]
    blob = made.folder / "blobs/sha256" / digest[:2] / digest
    data = blob.read_bytes()
    if damage == "missing":
        blob.unlink()
    else:
        blob.write_bytes(data[:-1] if damage == "truncated" else data[:-1] + b"!")
    problem = judged(made, unsigned)["beta"].problem
    assert problem and not judged(made, unsigned)["alpha"].problem
    if kind == "tar":
        assert problem == f"its files {'are missing' if damage == 'missing' else 'were altered'}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version": 3', '"version": 2'),
        ('"sha256"', '"sha1"'),
        ('"checksum": "', '"checksum": "../../'),
        ('"data": [', '"rows": ['),
        ("{", "["),
        ("vnd.spack.spec.v5", "vnd.spack.other"),
    ],
)
def test_a_manifest_that_says_nonsense_is_refused_though_it_is_signed(made, sign, old, new):
    made.put("beta", sign(made.document("beta").replace(old, new), made.key))
    assert judged(made)["beta"].problem


def test_a_cache_is_judged_over_http_as_in_a_folder(made):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return None

    handler = functools.partial(Handler, directory=str(made.folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cache = open_cache(f"http://127.0.0.1:{server.server_address[1]}/")
    try:
        assert {row.problem for row in judged(made, cache=cache).values()} == {""}
        made.put("beta", made.manifest("alpha").read_text())
        assert "another package" in judged(made, cache=cache)["beta"].problem
        digests = {name: made.hashes[name] for name in ("alpha", "beta")}
        index = {"database": {"installs": {
            digest: {"spec": {"name": name, "version": "1.0"}, "in_buildcache": True}
            for name, digest in digests.items()
        }}}  # fmt: skip
        path = made.folder / "v3/manifests/index/index.manifest.json"
        path.parent.mkdir()
        path.write_text(json.dumps({"data": [{"checksum": made.blob(json.dumps(index).encode())}]}))
        assert list_entries(cache) == list_entries(made.cache)
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(EnvironmentProblem, match="cannot read the index"):
        list_entries(cache)
    row = judged(made, cache=cache)["alpha"]
    assert "cannot be read" in row.problem, "a server that is gone is told from a missing package"


def test_a_list_names_every_package_with_its_version(made):
    made.hashes["py-a-2to3"] = "h" * 32
    made.put("py-a-2to3", "{}")
    assert list_entries(made.cache) == [
        Wanted("alpha", "1.0", made.hashes["alpha"]),
        Wanted("beta", "1.0", made.hashes["beta"]),
        Wanted("py-a-2to3", "1.0", "h" * 32),
    ]


def test_a_folder_of_something_else_is_no_build_cache(tmp_path):
    with pytest.raises(InputError, match="is no build cache"):
        list_entries(open_cache(str(tmp_path)))


def test_addresses_are_folders_or_what_spack_knows(tmp_path):
    assert open_cache(str(tmp_path)).folder == tmp_path
    assert open_cache("s3://bucket/x").readable is False
    with pytest.raises(InputError, match="'ftp:' is no kind of build cache"):
        open_cache("ftp://somewhere/x")
