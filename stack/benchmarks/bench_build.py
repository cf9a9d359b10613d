"""The stack tool against the ordinary ways: activate, sha256sum, compileall, uv build."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from fiducial.core.bench import Record, measure
from fiducial.stack.compile import compile_sources
from fiducial.stack.component_wheel import build_wheel, read_source
from fiducial.stack.setup_scripts import write_setup
from fiducial.stack.tools import find_uv
from fiducial.stack.verify import describe_all, walk
from fiducial.stack.workspace import find_workspace

TIMES = 200
BASH = ["bash", "--norc", "--noprofile", "-c"]


def setup_script(work: Path) -> Record:
    """Source setup.sh 200 times in one bash, against ``activate`` of a virtual environment."""
    stack, rival = work / "stack", work / "venv"
    write_setup(stack, "base-0123456789ab", "0" * 64, "3.11", "wheels 1", ())
    (stack / "bin").mkdir()
    (stack / "bin" / "python").symlink_to(sys.executable)
    venv.create(rival, with_pip=False)

    def source(script: Path) -> None:
        loop = f"for ((i = 0; i < {TIMES}; i++)); do . '{script}'; done"
        subprocess.run([*BASH, loop], check=True, env={"PATH": "/usr/bin:/bin", "HOME": "/tmp"})

    return measure(
        name="setup.sh",
        input=f"{TIMES} times in one bash",
        unit="times/s",
        amount=TIMES,
        ours=lambda: source(stack / "setup.sh"),
        rival=lambda: source(rival / "bin" / "activate"),
        rival_name="venv activate",
        rival_version=platform.python_version(),
    )


def installed_files() -> tuple[Path, list[str], int]:
    """Three thousand files of the environment that runs this: a real mixture of sizes."""
    root = Path(sys.prefix) / "lib"
    names = sorted(name for name in walk(root) if "__pycache__" not in name)[:3000]
    names = [name for name in names if (root / name).is_file() and not (root / name).is_symlink()]
    return root, names, sum((root / name).stat().st_size for name in names)


def verification() -> Record:
    """Hash what a manifest lists, against sha256sum on as many cores."""
    root, names, size = installed_files()
    listing = "\0".join(names).encode()
    command = ["xargs", "-0", "-n", "200", "-P", str(os.cpu_count() or 1), "sha256sum"]
    tool = subprocess.run(["sha256sum", "--version"], capture_output=True, text=True)
    return measure(
        name="verify",
        input=f"{len(names)} files, {size / 1e6:.0f} MB",
        unit="bytes/s",
        amount=size,
        ours=lambda: describe_all(root, names),
        rival=lambda: subprocess.run(
            command, cwd=root, input=listing, stdout=subprocess.DEVNULL, check=True
        ),
        rival_name="sha256sum",
        rival_version=tool.stdout.split("\n")[0].split()[-1],
        repeats=5,
    )


def wheel(work: Path) -> Record:
    """Build the wheel of fiducial-core with an empty cache, against ``uv build``."""
    workspace = find_workspace(Path(__file__).parent)
    component = workspace.components["fiducial-core"]

    def ours() -> None:
        os.environ["FIDUCIAL_CACHE_DIR"] = tempfile.mkdtemp(dir=work)
        build_wheel(read_source(workspace, component))

    command = [find_uv(), "build", "-q", "--wheel", "--no-build-isolation", "--offline"]
    command += ["--python", sys.executable, "--out-dir", str(work / "dist")]
    return measure(
        name="component wheel",
        input="fiducial-core, no build isolation",
        unit="s",
        ours=ours,
        rival=lambda: subprocess.run([*command, str(component.directory)], check=True),
        rival_name="uv build",
        rival_version=importlib.metadata.version("uv"),
        repeats=5,
    )


def compilation(work: Path) -> Record:
    """Byte-compile the standard library, against compileall with as many processes."""
    source = Path(os.__file__).parent
    skip = shutil.ignore_patterns("test", "tests", "site-packages", "__pycache__", "lib2to3")
    for name in ("ours", "rival"):
        shutil.copytree(source, work / name / "lib", ignore=skip, symlinks=False)
    names = sorted(name for name in walk(work / "ours") if name.endswith(".py"))
    command = [sys.executable, "-m", "compileall", "-q", "-f", "-j", str(os.cpu_count() or 1)]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(work / "rival")]
    return measure(
        name="byte-compile",
        input=f"{len(names)} files of the standard library",
        unit="files/s",
        amount=len(names),
        ours=lambda: compile_sources(work / "ours", Path(sys.executable), names),
        rival=lambda: subprocess.run([*command, str(work / "rival" / "lib")]),
        rival_name="compileall",
        rival_version=platform.python_version(),
        repeats=3,
    )


def benchmarks() -> list[Record]:
    """Setting up a shell, hashing, building a component's wheel, compiling."""
    with tempfile.TemporaryDirectory(prefix="fiducial-bench-") as folder:
        work = Path(folder)
        return [setup_script(work), verification(), wheel(work), compilation(work)]


if __name__ == "__main__":
    for record in benchmarks():
        print(
            f"{record['name']} ({record['input']}): {record['ours']:.4g} {record['unit']}, "
            f"{record['rival_name']} {record['rival']:.4g}: ratio {record['ratio']:.2f}"
        )
