"""A deployed stack is asked for the validated events again, in a clean environment."""

from __future__ import annotations

import json
import os

import pytest

from fiducial.stack.deploy_check import check_deployed, require_identical
from fiducial.stack.errors import InputError, NegativeAnswer
from fiducial.stack.results import parse_results

FIDUCIAL = """\
#!/bin/sh
# stands in for the program of a stack: run NAME --events N --out DIR --seed S
test "$1 $3 $4 $5 $7 $8" = "run --events 10 --out --seed 7" || exit 64
test -z "$FIDUCIAL_SECRET" || exit 65
mkdir -p "$6"
{behaviour}
"""
SAME = 'printf \'{{"content_sha256": "%s"}}\' {digest} > "$6/run.json"'


@pytest.fixture
def results(results_of):
    return parse_results(json.dumps(results_of()).encode())


def stack(site, behaviour):
    script = FIDUCIAL.format(behaviour=behaviour).encode()
    return site.make_stack("base-1", {"bin/fiducial": script})


def test_the_same_content_is_identical(site, results, monkeypatch):
    monkeypatch.setenv("FIDUCIAL_SECRET", "mine")
    digest = results.chains[0].run.head.content_sha256
    checks = check_deployed(stack(site, SAME.format(digest=digest)), results, site.progress)
    assert [(check.chain, check.identical, check.problem) for check in checks] == [
        ("chain", True, None)
    ]
    require_identical(checks)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (SAME.format(digest="b" * 64), "b" * 64),
        ("echo no such chain >&2; exit 2", "exit code 2: no such chain"),
        ("kill -9 $$", "killed by SIGKILL"),
        ("exit 0", "no run.json"),
        ("echo '[]' > \"$6/run.json\"", "no run.json that can be read"),
    ],
)
def test_anything_else_names_the_chain_and_is_a_no(site, results, behaviour, words):
    checks = check_deployed(stack(site, behaviour), results, site.progress)
    with pytest.raises(NegativeAnswer, match=words) as caught:
        require_identical(checks)
    assert "events of chain" in str(caught.value)
    assert caught.value.exit_code == 1


def test_results_without_a_run_cannot_be_checked(site, results_of):
    empty = results_of(passed=False, chains=[])
    with pytest.raises(InputError, match="hold no run"):
        check_deployed(
            stack(site, "exit 0"), parse_results(json.dumps(empty).encode()), site.progress
        )
    assert os.environ.get("FIDUCIAL_STACK") is None
