"""Versions are ordered as Spack orders them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiducial.stack.spack.version_order import is_downgrade, version_key

ASCENDING = [
    ["1.0alpha", "1.0beta1", "1.0beta2", "1.0rc1", "1.0", "1.0.1", "1.1", "1.10"],
    ["2025", "2025a", "2025.1", "2025-10"],
    ["abc", "1.0", "stable", "trunk", "head", "master", "main", "develop"],
    ["9e", "9f"],
]


@pytest.mark.parametrize("versions", ASCENDING, ids=lambda row: row[0])
def test_known_orders_hold(versions: list[str]) -> None:
    shuffled = random.Random(1).sample(versions, len(versions))
    assert sorted(shuffled, key=lambda text: version_key(text) or ((), ())) == versions


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=4), st.lists(st.integers(0, 30), min_size=1)
)
def test_numbers_compare_as_numbers(one: list[int], other: list[int]) -> None:
    before, after = (".".join(map(str, row)) for row in (one, other))
    assert is_downgrade(before, after) == (other < one)


def test_a_commit_has_the_place_it_stands_for_or_none() -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    assert is_downgrade("2.0", f"git.{sha}=1.0")
    assert is_downgrade("2.0", f"{sha}=1.0")
    assert not is_downgrade("2.0", f"git.{sha}")
    assert not is_downgrade(sha, "1.0")
