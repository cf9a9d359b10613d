"""Run the components' benchmarks: ``python ci/bench.py [COMPONENT ...]`` (or ``make bench``).

Each ``<component>/benchmarks/bench_*.py`` runs in a process of its own and answers with a list
of records (``fiducial.core.bench``). They are written to ``build/bench/<component>.json`` and
printed as one table. Exit code 0: all ran; 1: a benchmark failed; 2: no such component.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
FIELDS = {
    "name", "input", "unit", "ours", "rival", "rival_name", "rival_version", "ratio", "repeats",
    "spread", "peak_rss_bytes",
}  # fmt: skip

RUN_ONE = """
import json, runpy, sys
records = runpy.run_path(sys.argv[1])["benchmarks"]()
with open(sys.argv[2], "w") as stream:
    json.dump(records, stream)
"""


def main() -> int:
    arguments = _arguments()
    found = find_benchmarks(ROOT)
    names = arguments.component or sorted(found)
    unknown = [name for name in names if name not in found]
    if unknown:
        print(f"no benchmarks of {', '.join(unknown)}: choose from {', '.join(sorted(found))}",
              file=sys.stderr)  # fmt: skip
        return 2
    results: dict[str, list[dict[str, Any]]] = {}
    failures: list[str] = []
    for name in names:
        results[name] = []
        for script in found[name]:
            print(f"running {script.relative_to(ROOT)}", file=sys.stderr)
            records, problem = run_script(script, arguments.timeout)
            results[name] += records
            if problem:
                failures.append(f"{script.relative_to(ROOT)}: {problem}")
        write_results(arguments.out, name, results[name])
    if arguments.json:
        print(json.dumps(results, indent=1))
    else:
        print_table(results)
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("component", nargs="*", help="core, edm, … (default: all)")
    parser.add_argument("--json", action="store_true", help="print the records, no table")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one script")
    return parser.parse_args()


def find_benchmarks(root: Path) -> dict[str, list[Path]]:
    """The scripts of each component that has any."""
    folders = [*sorted((root / "components").glob("*/")), root / "validation", root / "stack"]
    scripts = {folder.name: sorted(folder.glob("benchmarks/bench_*.py")) for folder in folders}
    return {name: paths for name, paths in scripts.items() if paths}


def run_script(script: Path, timeout: float) -> tuple[list[dict[str, Any]], str | None]:
    """The records of one script and, where it failed, why."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "records.json")
        command = [sys.executable, "-c", RUN_ONE, str(script), str(answer)]
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return [], f"ran longer than {timeout:g} s"
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            return [], f"exit code {done.returncode}\n{tail}"
        records = json.loads(answer.read_text())
    for record in records:
        absent = sorted(FIELDS - set(record))
        if absent:
            return records, f"record {record.get('name')!r} lacks {', '.join(absent)}"
    return records, None


def write_results(folder: Path, name: str, records: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{name}.json"
    aside.write_text(json.dumps(records, indent=1) + "\n")
    aside.replace(folder / f"{name}.json")


def print_table(results: dict[str, list[dict[str, Any]]]) -> None:
    table = Table(
        title="Benchmarks: medians of interleaved runs; ratio above 1 means ours is faster"
    )
    for column in ("component", "benchmark", "input"):
        table.add_column(column, overflow="fold")
    for column in ("ours", "rival", "ratio", "spread", "peak memory"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("unit")
    table.add_column("rival is", overflow="fold")
    for name, records in results.items():
        for r in records:
            table.add_row(
                name, r["name"], r["input"], quantity(r["ours"]), quantity(r["rival"]),
                f"{r['ratio']:.2f}", f"{100 * r['spread']:.0f} %",
                f"{r['peak_rss_bytes'] / 1e6:.0f} MB", r["unit"],
                f"{r['rival_name']} {r['rival_version']}",
            )  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)


def quantity(value: float | None) -> str:
    """Three digits, with thousands as k, M, G."""
    if value is None:
        return "-"
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {suffix}"
    return f"{value:.3g}"


if __name__ == "__main__":
    raise SystemExit(main())
