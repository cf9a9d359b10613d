"""The page: one HTML file with its style and pictures inside, no script, no network.

Everything that comes from results or manifests is escaped by the template engine; plots are
data URIs of images; the content security policy of the page forbids the rest.
"""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files

import jinja2
from markupsafe import Markup

from fiducial.stack.report.collect import View
from fiducial.stack.report.marks import pull_gauge, pull_histogram

MAX_FAILED = 12
"""So many plots of failed observables are shown a second time, at the top."""


def render(view: View) -> str:
    """The HTML of the report."""
    templates = files("fiducial.stack.report") / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (templates / name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(gauge=pull_gauge)
    pulls = [
        (row.pull, row.passed, f"{row.chain}.{row.name}")
        for chain in view.chains
        for row in chain.rows
        if row.pull is not None
    ]
    return environment.get_template("report.html.j2").render(
        view=view,
        style=Markup((templates / "report.css").read_text("utf-8")),
        pulls=pull_histogram(pulls),
        max_failed=MAX_FAILED,
        tool=version("fiducial-stack"),
    )
