"""Interrupted runs: what is finished is never done again, and the answer is the same."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from fiducial.core.errors import EnvironmentProblem, InputError
from fiducial.framework import RunResult, open_run, parse_chain, run

MOMENTS = {
    "before the first range": ("fiducial.framework.compute", "produce", 1),
    "in a range": ("fiducial.framework.compute", "consume", 3),
    "between part and record": ("fiducial.framework.checkpoint", "write_atomically", 3),
    "in the merge of the third range": ("fiducial.framework.merge", "Merger.extend", 3),
    "while a file is closed": ("fiducial.framework.outputs", "OutputWriter.close", 1),
    "while tables are closed": ("fiducial.framework.tables", "TableWriter.close", 1),
    "before the journal": ("fiducial.framework.commit", "write_atomically", 1),
    "after the journal": ("fiducial.framework.commit", "roll_forward", 1),
    "between two renames": ("pathlib", "Path.replace", -2),
    "before the parts are removed": ("fiducial.framework.commit", "fsync_directory", 1),
    "while the parts are removed": ("fiducial.framework.commit", "shutil.rmtree", 1),
}


def replaced(module: str, attribute: str, nth: int) -> list[int]:
    """Make the nth call of a function fatal; the list grows by one a call."""
    owner = importlib.import_module(module)
    *path, name = attribute.split(".")
    for part in path:
        owner = getattr(owner, part)
    real = getattr(owner, name)
    calls: list[int] = []

    def deadly(*args, **kwargs):
        calls.append(1)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(owner, name, deadly)
    return calls


def in_child(work: Callable[[], int]) -> int:
    """Do something in a forked process; how it ended, as `subprocess` tells it."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_run(tmp_path: Path, moment: tuple[str, str, int], **words) -> None:
    """Run the toys in a process that is killed at the nth call of something.

    A negative n counts from the last call of a run that is not killed.
    """
    module, attribute, nth = moment

    def count() -> int:
        os.environ["FRAMEWORK_TOY_LOG"] = os.devnull
        calls = replaced(module, attribute, 0)
        run("toys", 60, tmp_path / "counted")
        return len(calls)

    def die() -> int:
        replaced(module, attribute, nth)
        run("toys", 60, tmp_path / "out", **words)
        return 0

    if nth < 0:
        nth += in_child(count) + 1
    assert in_child(die) == -signal.SIGKILL


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, toys: Path) -> RunResult:
    """The undisturbed run of 60 toys."""
    return run("toys", 60, tmp_path_factory.mktemp("undisturbed") / "out")


def finished_ranges(out: Path) -> set[int]:
    return {int(p.name.split("-")[0]) for p in (out / ".parts").glob("*-*.json")}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=list(MOMENTS))
def test_a_run_killed_at_any_moment_goes_on_and_repeats_nothing(
    tmp_path: Path, log, same_answer, reference, moment
) -> None:
    log.clear()
    killed_run(tmp_path, moment)
    out = tmp_path / "out"
    finished = finished_ranges(out)
    committed = (out / "run.json").exists() or (out / ".parts/final/commit.json").exists()
    log.clear()
    result = run("toys", 60, out, resume=committed)
    redone = {int(line.split()[1]) for line in log.lines("produce")}
    assert redone == (set() if committed else set(range(0, 60, 10)) - finished)
    assert result.content_sha256 == reference.content_sha256
    assert result.tables_sha256 == reference.tables_sha256
    assert sorted(p.name for p in out.iterdir()) == ["events.root", "run.json", "tables.npz"]
    assert same_answer(out, reference.directory)
    made = {s["name"]: s["events_in"] for s in result.info["steps"]}
    assert made["make"] == 60


def test_a_run_on_processes_killed_from_outside_ends_its_workers_and_goes_on(
    tmp_path: Path, log, chain_text
) -> None:
    path = tmp_path / "slow.yaml"
    path.write_text(chain_text.replace("mean: 4", "mean: 4, pause: 0.3"))
    out = tmp_path / "out"
    words = ["run", str(path), "--events", "120", "--out", str(out)]
    words += ["--executor", "processes", "--workers", "2"]
    child = subprocess.Popen([sys.executable, "-m", "fiducial.framework", *words])
    deadline = time.monotonic() + 60
    while len(finished_ranges(out)) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = [int(pid) for pid in log.processes("produce")]
    assert len(workers) == 2 and all(alive(pid) for pid in workers)
    child.kill()
    child.wait()
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)  # they see that their parent is gone
    finished = finished_ranges(out)
    assert 4 <= len(finished) < 12
    log.clear()
    result = run(path, 120, out)
    assert {int(ln.split()[1]) for ln in log.lines("produce")} == set(range(0, 120, 10)) - finished
    assert result.content_sha256 == run("toys", 120, tmp_path / "reference").content_sha256


def test_an_interrupt_keeps_the_finished_ranges(tmp_path: Path, log, chain_text) -> None:
    path = tmp_path / "slow.yaml"
    path.write_text(chain_text.replace("mean: 4", "mean: 4, pause: 0.3"))
    out = tmp_path / "out"
    words = ["run", str(path), "--events", "120", "--out", str(out)]
    child = subprocess.Popen(
        [sys.executable, "-m", "fiducial.framework", *words],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(finished_ranges(out)) < 2 and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate()
    assert child.returncode == 130
    assert "run again to go on" in said and "Traceback" not in said
    assert len(finished_ranges(out)) >= 2 and not (out / "run.json").exists()


def corrupt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)


@pytest.mark.parametrize("executor", ["inprocess", "processes"])
def test_a_damaged_part_is_computed_again_with_a_notice(
    tmp_path: Path, log, reference, executor
) -> None:
    killed_run(tmp_path, MOMENTS["before the journal"])
    part = tmp_path / "out/.parts/000000000020-000000000030.part"
    corrupt(part)
    log.clear()
    notices: list[str] = []

    class Heard:
        def advance(self, phase: str, done: int, total: int) -> None: ...

        def notice(self, text: str) -> None:
            notices.append(text)

    result = run("toys", 60, tmp_path / "out", executor, progress=Heard())
    assert log.lines("produce") == ["produce 20 10"]
    assert len(notices) == 1 and part.name in notices[0]
    assert result.content_sha256 == reference.content_sha256


def test_a_truncated_part_is_computed_again(tmp_path: Path, log) -> None:
    killed_run(tmp_path, MOMENTS["before the journal"])
    part = tmp_path / "out/.parts/000000000020-000000000030.part"
    part.write_bytes(part.read_bytes()[:-10])
    log.clear()
    run("toys", 60, tmp_path / "out")
    assert log.lines("produce") == ["produce 20 10"]


def test_parts_of_another_run_are_refused_by_name_and_never_mixed(
    tmp_path: Path, log, chain_text
) -> None:
    killed_run(tmp_path, MOMENTS["before the journal"])
    out = tmp_path / "out"
    log.clear()
    other = parse_chain(chain_text.replace("mean: 4", "mean: 6"))
    for words, changed in (
        ({"chain": other}, "settings of make"),
        ({"chain": "toys", "seed": 7}, "seed"),
        ({"chain": "toys", "range_size": 20}, "range"),
    ):
        with pytest.raises(InputError, match=f"differs in {changed}"):
            run(events=60, out=out, **words)
    assert log.lines() == [] and len(finished_ranges(out)) == 6
    result = run(other, 60, out, resume=True)
    assert len(log.lines("produce")) == 6
    assert result.content_sha256 == run(other, 60, tmp_path / "reference").content_sha256


def test_a_step_whose_source_has_changed_makes_its_parts_stale(
    tmp_path: Path, log, toys: Path
) -> None:
    killed_run(tmp_path, MOMENTS["before the journal"])
    module = toys / "framework_toy_steps.py"
    before = module.read_text()
    words = ["run", "toys", "--events", "60", "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "fiducial.framework", *words]
    try:
        module.write_text(before + "\n# changed\n")
        refused = subprocess.run(command, capture_output=True, text=True)
    finally:
        module.write_text(before)
    assert refused.returncode == 2
    assert "source of framework_toy_steps" in refused.stderr
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_a_file_that_a_setting_names_counts_with_its_content(tmp_path: Path, log) -> None:
    from fiducial.framework.fingerprint import differences, fingerprint

    card = tmp_path / "card"
    card.write_text("one")
    smear = f"{{name: s, use: toy_smear, with: {{output: '{card}'}}}}"
    text = f"chain: files\nsteps:\n  - {{name: m, use: toy_source}}\n  - {smear}\n"
    chain = parse_chain(text)
    one = fingerprint(chain, 1, 10)
    card.write_text("two")
    assert differences(one, fingerprint(chain, 1, 10)) == [f"file {card}"]


def test_a_finished_run_is_refused_reused_or_replaced_as_asked(tmp_path: Path, log) -> None:
    out = tmp_path / "out"
    first = run("toys", 60, out)
    log.clear()
    with pytest.raises(InputError, match=r"holds this run already.*--resume"):
        run("toys", 60, out)
    again = run("toys", 60, out, resume=True, range_size=5)
    assert log.lines() == [] and again.info == first.info
    with pytest.raises(InputError, match="another run"):
        run("toys", 60, out, seed=9, resume=True)
    with pytest.raises(InputError, match="another run"):
        run("toys", 50, out)
    assert open_run(out).info == first.info
    replaced = run("toys", 60, out, seed=9, force=True)
    assert replaced.content_sha256 != first.content_sha256 == first.info["content_sha256"]
    assert open_run(out).info == dict(replaced.info)


def test_a_finished_run_whose_file_was_changed_is_made_again(tmp_path: Path, log) -> None:
    out = tmp_path / "out"
    first = run("toys", 60, out)
    corrupt(out / "events.root")
    log.clear()
    again = run("toys", 60, out, resume=True)
    assert len(log.lines("produce")) == 6
    assert again.content_sha256 == first.content_sha256


def test_a_forced_run_leaves_the_old_answer_until_it_is_complete(
    tmp_path: Path, log, chain_text
) -> None:
    out = tmp_path / "out"
    two = chain_text + "  extra: {format: rntuple, keep: [EventHeader]}\n"
    first = run(parse_chain(two), 60, out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    assert set(before) == {"events.root", "extra.root", "run.json", "tables.npz"}
    trouble = (
        "  - {name: trouble, use: toy_trouble, with: {at: 55, what: disk}}\n  - {name: observe"
    )
    with pytest.raises(EnvironmentProblem, match="No space left"):
        run(parse_chain(chain_text.replace("  - {name: observe", trouble)), 60, out, force=True)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before
    second = run("toys", 60, out, force=True)
    assert sorted(p.name for p in out.iterdir()) == ["events.root", "run.json", "tables.npz"]
    assert second.info["outputs"].keys() != first.info["outputs"].keys()


def test_a_forced_run_that_was_killed_goes_on_with_resume(tmp_path: Path, log) -> None:
    out = tmp_path / "out"
    run("toys", 60, out, seed=9)
    killed_run(tmp_path, ("fiducial.framework.compute", "produce", 4), force=True)
    assert open_run(out).info["seed"] == 9
    finished = finished_ranges(out)
    log.clear()
    run("toys", 60, out, force=True, resume=True)
    missing = sorted(set(range(0, 60, 10)) - finished)
    assert {0, 10} <= finished
    assert log.lines("produce") == [f"produce {first} 10" for first in missing]


def test_files_of_unknown_origin_are_never_overwritten(tmp_path: Path, log) -> None:
    (tmp_path / "events.root").write_text("precious")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"unknown origin.*events\.root"):
        run("toys", 20, tmp_path, resume=True)
    run("toys", 20, tmp_path, force=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(InputError, match="is a file"):
        run("toys", 20, tmp_path / "notes.txt")


def test_two_runs_never_write_to_one_directory(tmp_path: Path, log) -> None:
    from fiducial.framework.checkpoint import exclusive

    with (
        exclusive(tmp_path / "out"),
        pytest.raises(EnvironmentProblem, match="another run is writing"),
    ):
        run("toys", 20, tmp_path / "out")
    run("toys", 20, tmp_path / "out")


LIMITED = """\
import resource, sys
from fiducial.framework.__main__ import main

limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("limit", [6_000, 60_000])
def test_a_disk_that_fills_up_is_an_environment_problem_and_spares_the_old_answer(
    tmp_path: Path, log, limit
) -> None:
    """By a limit on the size of files, which fails a write as a full disk does."""
    out = tmp_path / "out"
    run("toys", 60, out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    script = tmp_path / "limited.py"
    script.write_text(LIMITED)
    words = ["run", "toys", "--events", "2000", "--range", "100", "--force", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, str(script), str(limit), *words], capture_output=True, text=True
    )
    assert done.returncode == 3, done.stderr
    assert "file too large" in done.stderr and "Traceback" not in done.stderr
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_really_full_disk_is_an_environment_problem(tmp_path: Path, log) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(small)])
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        first = run("toys", 60, small / "out")
        with pytest.raises(EnvironmentProblem, match="no space left"):
            run("toys", 5000, small / "out", range_size=200, force=True)
        assert open_run(small / "out").info == dict(first.info)
        assert run("toys", 60, small / "out", resume=True).info == dict(first.info)
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


def test_run_json_of_a_resumed_run_counts_what_was_computed(tmp_path: Path, log) -> None:
    killed_run(tmp_path, ("fiducial.framework.compute", "produce", 4))
    missing = 6 - len(finished_ranges(tmp_path / "out"))
    result = run("toys", 60, tmp_path / "out")
    assert result.info["computed_ranges"] == missing in (3, 4)
    assert json.loads((tmp_path / "out/run.json").read_text())["ranges"] == 6
