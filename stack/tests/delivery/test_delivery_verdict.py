"""A verdict is about one stack, one lock, one set of references, one file of results."""

from __future__ import annotations

import json

import pytest

from fiducial.stack.errors import InputError
from fiducial.stack.keys import PrivateKey
from fiducial.stack.refusals import Refusal, Refused
from fiducial.stack.results import parse_results
from fiducial.stack.verdict import Expected, make_verdict, verify_verdict

KEY = PrivateKey.generate()
TRUSTED = {KEY.key_id: KEY.public}
MANIFEST = "a" * 64


def verdict_of(results, **options):
    data = json.dumps(results).encode()
    return make_verdict("base-1", MANIFEST, data, KEY, **options), data


def expected_of(results, data):
    return Expected(MANIFEST, results["lock_sha256"], results["references_sha256"], data)


def test_a_passing_verdict_about_this_stack_verifies(results_of):
    results = results_of()
    envelope, data = verdict_of(results)
    verdict = verify_verdict(envelope, TRUSTED, expected_of(results, data))
    assert verdict.passed
    assert verdict.stack == "base-1"
    assert verdict.predicate.chains[0].observables == 2


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"manifest_sha256": "b" * 64}, Refusal.WRONG_SUBJECT),
        ({"lock_sha256": "b" * 64}, Refusal.WRONG_LOCK),
        ({"references_sha256": "b" * 64}, Refusal.WRONG_REFERENCES),
        ({"results": b"{}"}, Refusal.RESULTS_CHANGED),
    ],
)
def test_a_verdict_about_something_else_is_refused_by_name(results_of, change, kind):
    from dataclasses import replace

    results = results_of()
    envelope, data = verdict_of(results)
    with pytest.raises(Refused) as caught:
        verify_verdict(envelope, TRUSTED, replace(expected_of(results, data), **change))
    assert caught.value.kinds == {kind}
    assert str(kind) in str(caught.value)


def test_all_reasons_come_at_once(results_of):
    envelope, _ = verdict_of(results_of(passed=False), selection=["chain"])
    wrong = Expected("b" * 64, "b" * 64, "b" * 64, b"{}")
    with pytest.raises(Refused) as caught:
        verify_verdict(envelope, TRUSTED, wrong)
    assert caught.value.kinds == {
        Refusal.WRONG_SUBJECT, Refusal.WRONG_LOCK, Refusal.WRONG_REFERENCES,
        Refusal.RESULTS_CHANGED, Refusal.FAILED_VERDICT, Refusal.PARTIAL_VERDICT,
    }  # fmt: skip


def test_a_failed_verdict_is_signed_and_says_why(results_of):
    results = results_of(passed=False)
    envelope, data = verdict_of(results)
    verdict = verify_verdict(envelope, TRUSTED, expected_of(results, data), must_pass=False)
    assert not verdict.passed
    assert verdict.predicate.failures == ["chain.width: differs (p = 1e-9)"]
    with pytest.raises(Refused) as caught:
        verify_verdict(envelope, TRUSTED, expected_of(results, data))
    assert caught.value.kinds == {Refusal.FAILED_VERDICT}


CONTRADICTIONS = {
    "a listed failure": lambda r: r["failures"].append({"failure": "missing reference"}),
    "a failed observable": lambda r: r["chains"][0]["observables"][0].update(passed=False),
    "an observable with a failure": lambda r: r["chains"][0]["observables"][0].update(failure="x"),
    "no chain": lambda r: r.update(chains=[]),
    "no observable": lambda r: r["chains"][0].update(observables=[]),
    "no run": lambda r: r["chains"][0].update(run=None),
    "no event": lambda r: r["chains"][0]["run"].update(events=0),
    "a probability that is no number": lambda r: r["chains"][0]["observables"][0].update(
        p_value=float("nan")
    ),
    "a probability above one": lambda r: r["chains"][0]["observables"][0].update(p_adjusted=1.5),
    "a failure without reason": lambda r: r.update(passed=False),
    "another format": lambda r: r.update(format=2),
    "no references": lambda r: r.pop("references_sha256"),
    "references that are no digest": lambda r: r.update(references_sha256="latest"),
    "passed in words": lambda r: r.update(passed="maybe"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_results_that_contradict_themselves_get_no_verdict(results_of, name):
    results = results_of()
    CONTRADICTIONS[name](results)
    with pytest.raises(InputError) as caught:
        verdict_of(results)
    assert caught.value.exit_code == 2


def test_every_mistake_of_the_results_is_listed(results_of):
    results = results_of()
    for mistake in ("a listed failure", "no event", "a failed observable"):
        CONTRADICTIONS[mistake](results)
    with pytest.raises(InputError) as caught:
        parse_results(json.dumps(results).encode())
    assert str(caught.value).count("passed is true, but") == 3


def test_results_that_are_no_json_are_refused():
    with pytest.raises(InputError, match="not JSON"):
        parse_results(b"{")
