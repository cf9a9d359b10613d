"""The pipeline definitions of ci/gitlab and ci/github, read as jobs with the lines that they run.

Shared by the rehearsal and by the tests. Reads what both systems have in common, scripts,
variables and a matrix; their own linters judge the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
GITLAB = ROOT / "ci/gitlab/.gitlab-ci.yml"
GITHUB = ROOT / "ci/github/workflows"
_GITLAB_WORDS = {"workflow", "stages", "variables", "default", "include", "image", "cache"}
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True)
class Script:
    """One shell invocation of a job: its lines, and variables that are set for it alone."""

    lines: tuple[str, ...]
    variables: dict[str, str]


@dataclass(frozen=True)
class Job:
    """A job: ``scripts`` run one after another, ``uses`` names actions of others."""

    system: str
    name: str
    scripts: tuple[Script, ...]
    variables: dict[str, str]
    uses: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything that it runs."""
        return tuple(line for script in self.scripts for line in script.lines)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: ``on:`` is a key of workflows."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in rows if tag != "tag:yaml.org,2002:bool"]
    for letter, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def read(path: Path) -> dict[str, Any]:
    """A definition as it stands."""
    return dict(yaml.load(path.read_text(), _Loader))


def gitlab_jobs(path: Path = GITLAB) -> dict[str, Job]:
    """Jobs of a GitLab pipeline that run a script, by name."""
    document = read(path)
    shared = _text(document.get("variables", {}))
    jobs = {}
    for name, job in document.items():
        if name not in _GITLAB_WORDS and "script" in job:
            lines = (*_flat(job.get("before_script", [])), *_flat(job["script"]))
            matrix = {key: values[-1] for row in job.get("parallel", {}).get("matrix", [])
                      for key, values in row.items()}  # fmt: skip
            variables = shared | _text(matrix) | _text(job.get("variables", {}))
            jobs[name] = Job("gitlab", name, (Script(lines, {}),), variables)
    return jobs


def github_jobs(folder: Path = GITHUB) -> dict[str, Job]:
    """Jobs of all workflows, as ``workflow/job``."""
    jobs = {}
    for path in sorted(folder.glob("*.yml")):
        document = read(path)
        for name, job in document["jobs"].items():
            scripts = [
                Script((step["run"],), _text(step.get("env", {})))
                for step in job["steps"]
                if "run" in step
            ]
            uses = tuple(step["uses"] for step in job["steps"] if "uses" in step)
            variables = _text(document.get("env", {})) | _text(job.get("env", {}))
            key = f"{path.stem}/{name}"
            jobs[key] = Job("github", key, tuple(scripts), variables, uses)
    return jobs


def resolve(text: str, values: dict[str, str]) -> str:
    """Replace GitHub's expressions by ``values``; KeyError for one that has none."""
    return _EXPRESSION.sub(lambda match: values[match[1]], text)


def _flat(lines: Any) -> tuple[str, ...]:
    if isinstance(lines, str):
        return (lines,)
    return tuple(part for line in lines for part in _flat(line))


def _text(rows: dict[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in rows.items()}
