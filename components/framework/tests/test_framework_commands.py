"""The commands, as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fiducial.framework.__main__ import main


def call(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command line."""
    code = main([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_run_prints_run_json_and_progress_as_json_lines(capsys, tmp_path: Path, log) -> None:
    out = tmp_path / "out"
    words = ["run", "toys", "--scale", "smoke", "--out", out, "--json", "--progress", "json"]
    code, stdout, stderr = call(capsys, *words)
    assert code == 0
    assert json.loads(stdout) == json.loads((out / "run.json").read_text())
    lines = [json.loads(line) for line in stderr.splitlines()]
    assert lines[-1] == {"phase": "toys", "done": 40, "total": 40}
    assert [line["done"] for line in lines] == [10, 20, 30, 40]


def test_run_prints_what_each_step_took(capsys, tmp_path: Path, log) -> None:
    code, stdout, stderr = call(capsys, "run", "toys", "-n", 40, "--out", tmp_path / "out")
    assert code == 0 and stderr == ""
    for name in ("make", "smear", "select", "observe", "write:events"):
        assert name in stdout


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(capsys, tmp_path: Path, log) -> None:
    out = tmp_path / "out"
    code, stdout, _ = call(capsys, "run", "toys", "--out", out, "--dry-run", "--json")
    plan = json.loads(stdout)
    assert code == 0 and not out.exists() and log.lines() == []
    assert plan["ranges"] == 4 and plan["action"] == "compute all ranges"
    assert plan["writes"] == ["events.root", "tables.npz", "run.json"]
    call(capsys, "run", "toys", "--out", out)
    code, stdout, stderr = call(capsys, "run", "toys", "--out", out, "--dry-run")
    assert code == 2 and "add --resume" in stderr and stdout == ""
    code, stdout, _ = call(capsys, "run", "toys", "--out", out, "--dry-run", "--resume")
    assert code == 0 and "would reuse the finished run" in stdout


def test_a_bad_chain_is_refused_with_all_its_mistakes_and_nothing_is_touched(
    capsys, tmp_path: Path, chain_text: str
) -> None:
    bad = tmp_path / "bad.yaml"
    text = chain_text.replace("toy_smear", "toy_smeer").replace("muons: 2", "muons: -2")
    bad.write_text(text.replace("range: 10", "rangee: 10"))
    for command in (["chain", "check", bad], ["run", bad, "--out", tmp_path / "out"]):
        code, stdout, stderr = call(capsys, *command)
        assert code == 2 and stdout == ""
        assert stderr.startswith("3 mistakes in ")
        assert "did you mean range?" in stderr and "toy_smear" in stderr and "muons" in stderr
        assert f"{bad}:5:" in stderr and f"{bad}:8:" in stderr and f"{bad}:9:" in stderr
    assert not (tmp_path / "out").exists()


def test_chains_and_steps_are_listed_and_shown(capsys, toys) -> None:
    code, stdout, _ = call(capsys, "chain", "list", "--json")
    toy = next(chain for chain in json.loads(stdout) if chain["name"] == "toys")
    assert code == 0 and toy["scales"] == {"smoke": 40, "large": 200}
    code, stdout, _ = call(capsys, "chain", "show", "toys", "--json")
    shown = json.loads(stdout)
    assert [s["kind"] for s in shown["steps"]] == ["producer", "transformer", "filter", "consumer"]
    assert shown["steps"][1]["with"]["resolution"] == 0.1  # a default
    code, stdout, _ = call(capsys, "step", "list", "--json")
    listed = {step["name"]: step for step in json.loads(stdout)}
    assert listed["toy_smear"]["summary"] == "toy response"
    assert "framework-toys[exotic]" in listed["toy_exotic"]["problem"]
    for words in (["chain", "list"], ["chain", "show", "toys"], ["step", "list"]):
        code, stdout, _ = call(capsys, *words)
        assert code == 0 and "toy" in stdout


def test_a_step_shows_its_settings_with_types_defaults_and_units(capsys, toys) -> None:
    code, stdout, _ = call(capsys, "step", "show", "toy_source", "--json")
    settings = {s["name"]: s for s in json.loads(stdout)["settings"]}
    assert code == 0
    assert settings["mean"]["type"] == "number > 0 <= 100" and settings["mean"]["default"] == "5.0"
    assert settings["generator"]["type"] == '"flat" | "peaked"'
    assert settings["pause"]["meaning"] == "seconds that a range takes [s]"
    code, stdout, _ = call(capsys, "step", "show", "toy_source")
    assert "takes [s]" in stdout
    code, _, stderr = call(capsys, "step", "show", "toy_sauce")
    assert code == 2 and "toy_source" in stderr


def test_provenance_of_a_run_and_of_its_file_are_the_same_and_remake_it(
    capsys, tmp_path: Path, log, monkeypatch
) -> None:
    monkeypatch.setenv("FIDUCIAL_LOCK_SHA256", "ab" * 32)
    monkeypatch.setenv("FIDUCIAL_STACK", "base-1")
    out = tmp_path / "out"
    call(capsys, "run", "toys", "-n", 40, "--seed", 5, "--out", out)
    code, of_run, _ = call(capsys, "provenance", out, "--json")
    assert code == 0
    code, of_file, _ = call(capsys, "provenance", out / "events.root", "--json")
    assert code == 0 and json.loads(of_file) == json.loads(of_run)
    record = json.loads(of_run)
    assert record["lock_sha256"] == "ab" * 32 and record["stack"] == "base-1"
    assert record["versions"]["framework-toys"] == "1.2"
    code, text, _ = call(capsys, "provenance", out / "events.root")
    assert code == 0 and record["command"] in text
    monkeypatch.chdir(tmp_path)
    words = record["command"].split()
    assert words[0] == "fiducial"
    assert main(words[1:]) == 0
    capsys.readouterr()
    ours = json.loads((tmp_path / "toys/run.json").read_text())
    assert ours["content_sha256"] == json.loads((out / "run.json").read_text())["content_sha256"]


def test_the_chain_as_it_was_run_comes_out_of_an_event_file(
    capsys, tmp_path: Path, log, chain_text
) -> None:
    call(capsys, "run", "toys", "-n", 20, "--out", tmp_path / "out")
    chain = tmp_path / "chain.yaml"
    words = ["provenance", tmp_path / "out/events.root", "--write-chain", chain]
    assert call(capsys, *words, "--dry-run")[0] == 0 and not chain.exists()
    assert call(capsys, *words)[0] == 0 and chain.read_text() == chain_text
    code, _, stderr = call(capsys, *words)
    assert code == 2 and "exists" in stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["provenance", "nowhere"], "no file or directory nowhere"),
        (["provenance", "."], "holds no finished run"),
        (["provenance", "text"], "text"),
        (["run", "tosy", "--out", "o"], "no chain 'tosy': did you mean toys?"),
        (["run", "toys", "--out", "o", "--executor", "dusk"], "did you mean dask?"),
        (["run", "toys"], "--out"),
        (["run", "toys", "--out", "text"], "is a file"),
        (["chain", "chekc", "toys"], "check"),
    ],
)
def test_wrong_use_ends_with_exit_code_2_and_a_hint(
    capsys, tmp_path: Path, monkeypatch, words, problem
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("not an event file\n")
    code, _, stderr = call(capsys, *words)
    assert code == 2 and problem in stderr
    assert not Path("o").exists()


def test_every_command_has_an_example_in_its_help() -> None:
    from typer.main import get_command

    from fiducial.framework.__main__ import app

    def commands(command, path=()):
        if hasattr(command, "commands"):
            for name, child in command.commands.items():
                yield from commands(child, (*path, name))
        else:
            yield path, command

    for path, command in commands(get_command(app)):
        assert f"Example: fiducial {' '.join(path)}" in command.help, path


def test_the_commands_run_without_a_terminal_in_a_fresh_process(toys) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fiducial.framework", "chain", "check", "toys"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0 and "toys is valid" in done.stdout and done.stderr == ""
