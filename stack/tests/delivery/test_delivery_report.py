"""The report shows everything, escapes everything, and is one file."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.stack.publish import RESULTS, plan_publish, publish
from fiducial.stack.refusals import Refused
from fiducial.stack.report import numbers
from fiducial.stack.report.collect import collect
from fiducial.stack.report.evidence import from_folder, from_repository
from fiducial.stack.report.marks import pull_gauge, pull_histogram
from fiducial.stack.report.page import render

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What a browser would see: tags, addresses, text; and whether every tag is closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.ids, self.open, self.words = [], [], [], [], []
        self.feed(html)
        self.close()
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            assert not name.startswith("on"), f"{tag} has {name}"
            if name in ("href", "src"):
                self.links.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def page_of(site, results=None, delivery=None):
    prefix = site.make_stack()
    verdict = site.judge(prefix, results)
    evidence = from_folder(prefix, verdict.parent, site.trusted, delivery)
    return render(collect(evidence))


def test_the_page_is_whole_and_needs_nothing_from_outside(site):
    html = page_of(site)
    page = Page(html)
    assert page.open == []
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.tags)
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in page.links)
    assert not re.search(r"url\(|@import|https?://", html.partition("</style>")[0])


def test_every_link_of_the_page_leads_somewhere(site):
    page = Page(page_of(site))
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_page_says_what_was_built_and_proven(site):
    delivery = {
        "published": {"channel": "nightly", "channel_revision": 4, "release_revision": 1,
                      "objects": 9, "obstacles": []},
        "deployed": {"checks": [{"chain": "chain", "events": 10, "expected": "a" * 64,
                                 "found": "a" * 64, "identical": True, "problem": None,
                                 "seconds": 1.0}]},
    }  # fmt: skip
    text = Page(page_of(site, delivery=delivery)).text
    for words in (
        "✓ Passed", "base-1", "0.1 %", "Holm", "125.100 ± 0.050", "125.00 ± 0.10", "+0.30", "0.4",
        "PDG", "generate", "fiducial-generators 0.1.0", "0.50 s", "1.0 MB", "200 /s", "one", "MIT",
        "nightly", "identical", "linux x86_64", "cpython 3.11", "fiducial deploy",
    ):  # fmt: skip
        assert words in text, words


def test_a_failed_stack_shows_its_failures_before_its_observables(site, results_of):
    html = page_of(site, results_of(passed=False))
    text = Page(html).text
    assert "✗ Failed" in text
    assert "No channel moves to this stack" in text
    assert "p = 1e-9" in text
    assert html.index('id="failures"') < html.index('id="observables"')
    assert "✓ Passed" not in text


HOSTILE = "</style></td><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}"


def _everywhere(value):
    """``value`` with every text replaced by a hostile one, where the model allows any text."""
    keep = ("format", "passed", "references_sha256", "lock_sha256", "content_sha256", "plot")
    if isinstance(value, dict):
        return {k: v if k in keep else _everywhere(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_everywhere(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("passed", [True, False])
def test_no_text_of_the_results_becomes_markup(site, results_of, passed):
    results = _everywhere(results_of(passed=passed))
    page = Page(page_of(site, results))
    assert "script" not in page.tags
    assert page.open == []
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in page.links)
    assert "<script>alert(1)</script>" in page.text
    assert "{{7*7}}" in page.text


def test_a_plot_is_shown_as_an_image_whatever_is_in_it(site):
    prefix = site.make_stack()
    verdict = site.judge(prefix)
    (verdict.parent / "plots/chain.mass.svg").write_text("<svg><script>alert(1)</script></svg>")
    page = Page(render(collect(from_folder(prefix, verdict.parent, site.trusted))))
    assert "script" not in page.tags
    assert "img" in page.tags


@pytest.mark.parametrize("plot", ["../../secret.svg", "/etc/passwd", "plots/none.svg", "", 7, None])
def test_a_plot_outside_of_the_results_is_not_shown(site, results_of, plot):
    results = results_of()
    for observable in results["chains"][0]["observables"]:
        observable["plot"] = plot
    (site.root / "secret.svg").write_text("<svg/>")
    page = Page(page_of(site, results))
    assert "img" not in page.tags
    assert "no plot" in page.text


def test_odd_values_in_the_results_become_dashes_and_not_errors(site, results_of):
    results = results_of()
    run = results["chains"][0]["run"]
    run.update(steps="none", wall_seconds=[], overhead_fraction="x", executor=None, workers={})
    observable = results["chains"][0]["observables"][0]
    observable.update(value=None, reference=[1], pull="high", title=None, guards={})
    text = Page(page_of(site, results)).text
    assert "–" in text


def test_results_that_were_changed_make_no_page(site, flip):
    prefix = site.make_stack()
    verdict = site.judge(prefix)
    path = verdict.parent / RESULTS
    path.write_text(path.read_text().replace("125.1", "125.2"))
    with pytest.raises(Refused, match="results changed"):
        from_folder(prefix, verdict.parent, site.trusted)


def test_a_published_release_gives_the_same_page_as_the_folder(site):
    prefix = site.make_stack()
    verdict = site.judge(prefix)
    plan = plan_publish(prefix, verdict, site.repository, site.trusted)
    publish(plan, site.repository, site.key, site.trusted, site.progress)
    here = render(collect(from_folder(prefix, verdict.parent, site.trusted)))
    there = render(collect(from_repository(site.repository, site.trusted, "base-1")))
    assert here == there


@pytest.mark.parametrize(
    ("estimate", "error", "text"),
    [
        (125.1034, 0.0523, "125.103 ± 0.052"), (125.0, 0.1, "125.00 ± 0.10"),
        (-0.0312, 0.0021, "−0.0312 ± 0.0021"), (20.94, 0.19, "20.94 ± 0.19"),
        (29712, 340, "29712 ± 340"), (1.5, 0, "1.5"), (1.5, None, "1.5"), (None, 1, "–"),
        (3.2e8, 1.1e6, "(3.200 ± 0.011) × 10⁸"), (2.1e-7, 3e-9, "(2.100 ± 0.030) × 10⁻⁷"),
        (float("nan"), 1, "–"), (True, 1, "–"),
    ],
)  # fmt: skip
def test_a_measured_value_is_rounded_to_its_error(estimate, error, text):
    assert numbers.measured(estimate, error) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.421, "0.42"),
        (1.0, "1"),
        (0, "0"),
        (2.13e-7, "2.1 × 10⁻⁷"),
        (0.0031, "0.0031"),
        ("x", "–"),
    ],
)
def test_a_probability_is_written_as_people_read_it(p, text):
    assert numbers.probability(p) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)


@settings(max_examples=300, deadline=None)
@given(json_values, json_values)
def test_whatever_is_no_number_is_written_without_an_error(a, b):
    for function in (
        numbers.plain, numbers.probability, numbers.signed, numbers.count, numbers.size,
        numbers.seconds, numbers.percent, numbers.alpha,
    ):  # fmt: skip
        assert isinstance(function(a), str)
    assert isinstance(numbers.measured(a, b), str)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.booleans(), st.text(max_size=9)), max_size=40))
def test_drawings_have_one_mark_for_each_pull(pulls):
    svg = str(pull_histogram(pulls))
    assert svg.count("<circle") == len(pulls)
    assert Page(svg).open == []
    for pull, passed, _ in pulls:
        assert "<svg" in pull_gauge(pull, passed)


def test_a_report_of_results_without_any_run_is_still_made(site, results_of):
    results = results_of(passed=False, chains=[])
    results["failures"] = [{"chain": "chain", "failure": "the run failed", "detail": "no memory"}]
    text = Page(page_of(site, json.loads(json.dumps(results)))).text
    assert "the run failed" in text
