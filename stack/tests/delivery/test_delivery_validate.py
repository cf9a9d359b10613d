"""Validating a stack: what runs, in which environment, and what does not count as a pass."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
from pathlib import Path

import pytest

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.publish import RESULTS, VERDICT
from fiducial.stack.refusals import Refusal, Refused
from fiducial.stack.validate import LOG, validate
from fiducial.stack.verdict import Expected, verify_verdict
from fiducial.stack.verify import AlteredStack

PYTHON = """\
#!/bin/sh
here=$(dirname "$0")
exec {python} -I "$here/../share/validator.py" "$@"
"""

VALIDATOR = """\
import json, os, signal, sys
from pathlib import Path
arguments = sys.argv[1:]
assert arguments[:3] == ["-m", "fiducial.validation", "run"], arguments
options = dict(zip(arguments[3::2], arguments[4::2]))
out = Path(options["--out"])
out.mkdir(parents=True)
results = json.loads({results!r})
results["scale"] = options["--scale"]
results["lock_sha256"] = os.environ["FIDUCIAL_LOCK_SHA256"]
for done in (0, 50, 100):
    print(json.dumps({{"phase": "chain", "done": done, "total": 100}}), file=sys.stderr)
print("a word on standard error", file=sys.stderr)
(out / "environment.json").write_text(json.dumps(dict(os.environ)))
{behaviour}
(out / "results.json").write_text(json.dumps(results))
sys.exit(0 if results["passed"] else 1)
"""


@pytest.fixture
def stack(site, results_of):
    """Makes a stack whose validator behaves as told."""

    def make(behaviour: str = "", **results):
        validator = VALIDATOR.format(
            results=json.dumps(results_of(**results)), behaviour=textwrap.dedent(behaviour)
        )
        prefix = site.make_stack("base-1", {"share/validator.py": validator.encode()})
        python = prefix / "bin/python"
        python.write_text(PYTHON.format(python=sys.executable))
        python.chmod(0o755)
        return prefix

    return make


class Recorder:
    """A progress that remembers."""

    def __init__(self):
        self.phases = []

    def phase(self, name, total=None):
        from contextlib import contextmanager

        from fiducial.stack.progress import Task

        @contextmanager
        def run():
            seen = []
            yield Task(name, total, lambda task: seen.append((task.done, task.total)))
            self.phases.append((name, seen))

        return run()

    def note(self, text):
        pass


def run(site, prefix, out="out", **options):
    return validate(prefix, "smoke", site.root / out, site.key, site.progress, **options)


def test_a_passing_stack_gets_a_verdict_bound_to_it(site, stack):
    prefix = stack()
    done = run(site, prefix)
    assert done.verdict.passed
    envelope = (done.out / VERDICT).read_bytes()
    expected = Expected(
        done.manifest.sha256, done.manifest.lock_sha256, None, (done.out / RESULTS).read_bytes()
    )
    assert verify_verdict(envelope, site.trusted, expected).stack == "base-1"
    assert "a word on standard error" in (done.out / LOG).read_text()


def test_a_failed_stack_gets_a_signed_verdict_that_says_failed(site, stack):
    done = run(site, stack(passed=False))
    assert not done.verdict.passed
    assert done.to_dict()["failures"] == ["chain.width: differs (p = 1e-9)"]
    assert (done.out / VERDICT).is_file()


def test_progress_of_the_validator_is_relayed(site, stack):
    progress = Recorder()
    validate(stack(), "smoke", site.root / "out", site.key, progress)
    assert dict(progress.phases)["chain"] == [(0, 100), (50, 100), (100, 100)]


def test_the_validator_sees_a_clean_environment(site, stack, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("FIDUCIAL_SECRET", "mine")
    monkeypatch.setenv("VIRTUAL_ENV", "/workspace")
    done = run(site, stack())
    seen = json.loads((done.out / "environment.json").read_text())
    assert not {"PYTHONPATH", "LD_PRELOAD", "FIDUCIAL_SECRET", "VIRTUAL_ENV"} & seen.keys()
    assert seen["FIDUCIAL_STACK"] == "base-1"
    assert seen["PATH"].split(":")[0].endswith("stacks/base-1/bin")
    for name in ("HOME", "TMPDIR", "NUMBA_CACHE_DIR"):
        assert seen[name] != os.environ.get(name)
        assert not os.path.exists(seen[name]), f"{name} outlives the run"  # noqa: PTH110


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
        ("raise RuntimeError('segmentation')", "left no results.json"),
        ("sys.exit(0)", "left no results.json"),
        ("sys.exit(7)", "exit code 7"),
    ],
)
def test_a_validator_that_does_not_finish_is_no_pass(site, stack, behaviour, words):
    run(site, stack())
    before = (site.root / "out" / VERDICT).read_bytes()
    with pytest.raises(EnvironmentProblem, match=words) as caught:
        run(site, stack(behaviour))
    assert caught.value.exit_code == 3
    assert (site.root / "out" / VERDICT).read_bytes() == before
    assert not list(site.root.glob(".out.*"))


def test_a_validator_killed_after_it_wrote_its_results_is_no_pass(site, stack):
    behaviour = """
    (out / "results.json").write_text(json.dumps(results))
    os.kill(os.getpid(), signal.SIGSEGV)
    """
    with pytest.raises(EnvironmentProblem, match="SIGSEGV"):
        run(site, stack(behaviour))
    assert not (site.root / "out").exists()


@pytest.mark.parametrize(
    ("behaviour", "passed"),
    [
        ("(out / 'results.json').write_text(json.dumps(results)); sys.exit(1)", True),
        ("(out / 'results.json').write_text(json.dumps(results)); sys.exit(0)", False),
        ("results['failures'] = [{'failure': 'missing reference'}]", True),
    ],
)
def test_a_validator_that_contradicts_itself_is_no_pass(site, stack, behaviour, passed):
    with pytest.raises(InputError):
        run(site, stack(behaviour, passed=passed))
    assert not (site.root / "out").exists()


def test_results_of_another_lock_are_refused(site, stack):
    with pytest.raises(Refused) as caught:
        run(site, stack("results['lock_sha256'] = 'f' * 64"))
    assert caught.value.kinds == {Refusal.WRONG_LOCK}


def test_results_of_another_scale_or_other_chains_are_refused(site, stack):
    with pytest.raises(Refused, match="scale full"):
        run(site, stack("results['scale'] = 'full'"))
    with pytest.raises(Refused, match="asked for another"):
        run(site, stack(), chains=["another"])


def test_a_stack_altered_before_the_run_is_not_validated(site, stack, flip):
    prefix = stack()
    flip(prefix / "lib/one.py")
    with pytest.raises(AlteredStack, match=r"lib/one\.py"):
        run(site, prefix)
    assert not (site.root / "out").exists()


def test_a_stack_that_alters_itself_during_the_run_gets_no_verdict(site, stack):
    behaviour = """
    (Path(os.environ["PATH"].split(":")[0]).parent / "lib/one.py").write_text("better")
    """
    with pytest.raises(AlteredStack, match=r"lib/one\.py"):
        run(site, stack(behaviour))
    assert not (site.root / "out").exists()


def runs(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_children_of_the_validator_do_not_outlive_it(site, stack):
    behaviour = """
    import subprocess
    child = subprocess.Popen(["sleep", "300"], stderr=subprocess.DEVNULL)
    (out / "child").write_text(str(child.pid))
    """
    done = run(site, stack(behaviour))
    pid = int((done.out / "child").read_text())
    deadline = time.monotonic() + 10  # it was killed; the kernel may take a moment to end it
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(pid)


def test_a_verdict_on_some_chains_says_so(site, stack):
    done = run(site, stack(), chains=["chain"])
    assert done.verdict.predicate.selection == ["chain"]
