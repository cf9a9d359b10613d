"""References: sealed, content-addressed, refused by name when one byte differs."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.core.errors import InputError
from fiducial.validation.references import MANIFEST, ReferenceStore, TamperedReference


def test_files_are_named_by_their_content_and_the_store_reads_back(store, toy):
    again = ReferenceStore(store.directory)
    assert again.sha256 == store.sha256
    assert again.problems() == []
    assert len(again.entries) == 10
    reference = again.read("toy.mass")
    assert sum(reference.content["counts"]) == 4000
    assert again.entries["toy.mass"].why == "made for a test"


@settings(max_examples=40, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), file=st.integers(0, 10))
def test_any_flipped_bit_is_refused_by_name(tmp_path_factory, toy, where, bit, file):
    directory = _prepared(tmp_path_factory, toy)
    paths = sorted(directory.glob("*.json"))
    path = paths[file % len(paths)]
    original = path.read_bytes()
    position = int(where * len(original))
    changed = bytearray(original)
    changed[position] ^= 1 << bit
    path.write_bytes(bytes(changed))
    try:
        with pytest.raises(TamperedReference) as caught:
            store = ReferenceStore(directory)
            for key in store.entries:
                store.read(key)
        assert path.name in str(caught.value)
    finally:
        path.write_bytes(original)


_made = []


def _prepared(factory, toy):
    if not _made:
        directory = factory.mktemp("references")
        store = ReferenceStore(directory)
        toy.bless(store, toy.declared(), toy.table(np.random.default_rng(1), 300), events=300)
        _made.append(directory)
    return _made[0]


def test_rewritten_manifest_without_its_seal_is_refused(store, toy):
    path = store.directory / MANIFEST
    document = json.loads(path.read_text())
    document["references"]["toy.mass"]["events"] = 10**9
    path.write_text(json.dumps(document))
    with pytest.raises(TamperedReference, match=r"references\.json.*the manifest was changed"):
        ReferenceStore(store.directory)


def test_swapped_references_are_refused(store, toy):
    a, b = (store.directory / f"{store.entries[k].sha256}.json" for k in ("toy.mass", "toy.energy"))
    content = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(content)
    problems = [str(problem) for problem in store.problems()]
    assert len(problems) == 2
    assert any("toy.mass was changed" in text for text in problems)


def test_unlisted_and_lost_files_are_named(store, toy):
    (store.directory / ("0" * 64 + ".json")).write_text("{}")
    (store.directory / f"{store.entries['toy.mass'].sha256}.json").unlink()
    text = "\n".join(str(problem) for problem in store.problems())
    assert "toy.mass: no reference file" in text
    assert "not listed in the manifest" in text


def test_newer_format_is_refused_as_such(store):
    path = store.directory / MANIFEST
    path.write_text(path.read_text().replace('"format": 1,', '"format": 2,'))
    with pytest.raises(InputError, match="this version reads 1"):
        ReferenceStore(store.directory)


def test_blessing_again_with_the_same_run_changes_nothing(store, observables, toy):
    before = {path.name: path.read_bytes() for path in store.directory.iterdir()}
    proposals = toy.bless(
        ReferenceStore(store.directory), observables, toy.table(np.random.default_rng(1), 4000)
    )
    assert not any(proposal.changed for proposal in proposals)
    assert {path.name: path.read_bytes() for path in store.directory.iterdir()} == before


def test_blessing_shows_old_beside_new_and_removes_what_nobody_names(store, observables, toy):
    proposals = toy.bless(
        store, observables, toy.table(np.random.default_rng(2), 5000, scale=1.01), events=5000
    )
    mass = next(p for p in proposals if p.key == "toy.mass")
    assert mass.changed
    assert mass.old.estimate < mass.new.estimate
    assert mass.outcome.p_value < 1e-6  # the new run differs from the old reference, visibly
    names = {path.name for path in store.directory.iterdir()}
    assert names == {MANIFEST} | {f"{entry.sha256}.json" for entry in store.entries.values()}


def test_reference_that_cannot_be_trusted_is_never_blessed(store, observables, toy):
    with pytest.raises(InputError, match="20 entries"):
        toy.bless(store, observables, toy.table(np.random.default_rng(2), 20), events=20)
