"""The benchmark runner finds, runs, checks and reports; a failing script fails the run."""

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "bench.py"
SPEC = importlib.util.spec_from_file_location("ci_bench", SCRIPT)
bench = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(bench)

GOOD = """
def benchmarks():
    return [dict(name="n", input="i", unit="s", ours=1.0, rival=2.0, rival_name="r",
                 rival_version="1", ratio=2.0, repeats=3, spread=0.1, peak_rss_bytes=1)]
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for path, text in {
        "components/good/benchmarks/bench_a.py": GOOD,
        "components/bad/benchmarks/bench_b.py": "def benchmarks():\n    raise ValueError('boom')\n",
        "components/none/benchmarks/other.py": "",
        "stack/benchmarks/bench_c.py": GOOD.replace('unit="s", ', ""),
    }.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    return tmp_path


def run(monkeypatch, tree, *arguments):
    monkeypatch.setattr("sys.argv", ["bench.py", "--out", str(tree / "out"), *arguments])
    return bench.main()


def test_components_with_benchmarks_are_found(tree):
    assert sorted(bench.find_benchmarks(tree)) == ["bad", "good", "stack"]


def test_records_are_written_and_printed(tree, monkeypatch, capsys):
    assert run(monkeypatch, tree, "good") == 0
    assert json.loads((tree / "out" / "good.json").read_text())[0]["ratio"] == 2.0
    assert "2.00" in capsys.readouterr().out


def test_a_failing_script_and_an_incomplete_record_fail_the_run(tree, monkeypatch, capsys):
    assert run(monkeypatch, tree, "--json") == 1
    captured = capsys.readouterr()
    assert "ValueError: boom" in captured.err
    assert "record 'n' lacks unit" in captured.err
    assert len(json.loads(captured.out)["good"]) == 1


def test_an_unknown_component_is_refused_with_the_choices(tree, monkeypatch, capsys):
    assert run(monkeypatch, tree, "goood") == 2
    assert "choose from bad, good, stack" in capsys.readouterr().err
