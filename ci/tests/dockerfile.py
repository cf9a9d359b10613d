"""A strict reader of container recipes: knows each instruction, and refuses what it does not."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

KNOWN = {
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "FROM",
    "LABEL",
    "RUN",
    "SHELL",
    "USER",
    "WORKDIR",
}


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and argument of each step; comments and continuations taken away."""
    found: list[tuple[str, str]] = []
    waiting = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or (not waiting and not line.strip()):
            continue
        if line.endswith("\\"):
            waiting += line[:-1] + "\n"
            continue
        word, _, rest = (waiting + line).lstrip().partition(" ")
        waiting = ""
        assert word in KNOWN, f"{word!r} is no instruction"
        assert rest.strip(), f"{word} has no argument"
        found.append((word, rest.strip()))
    assert not waiting, "the last line goes on"
    return found


def parse(text: str, context: Path) -> list[list[tuple[str, str]]]:
    """The stages of a recipe. ``context`` is the folder that it copies from."""
    stages: list[list[tuple[str, str]]] = []
    names: set[str] = set()
    for word, rest in instructions(text):
        if word == "FROM":
            image = re.fullmatch(
                r"(\$\{\w+\}|[a-z0-9./-]+(?::[\w.-]+)(?:@sha256:[0-9a-f]{64})?)( AS (\w+))?", rest
            )
            assert image, f"FROM {rest} names no image with a tag"
            names |= {image[3]} if image[3] else set()
            stages.append([])
        elif not stages:
            assert word == "ARG", f"{word} stands before FROM"
            continue
        stages[-1].append((word, rest))
        if word == "COPY":
            _check_copy(shlex.split(rest), names, context)
        elif word == "RUN":
            done = subprocess.run(
                ["bash", "-n", "-c", rest.replace("\n", " \\\n")], capture_output=True
            )
            assert done.returncode == 0, f"{rest}\n{done.stderr.decode()}"
        elif word in ("ENTRYPOINT", "CMD", "SHELL"):
            assert rest.startswith("[") and rest.endswith("]"), f"{word} goes through a shell"
    users = [rest for word, rest in stages[-1] if word == "USER"]
    assert users and users[-1].split(":")[0] not in ("root", "0"), "the image runs as root"
    last = [word for word, _ in stages[-1]]
    assert "ENTRYPOINT" in last[last.index("USER") :], "root is left before the entry point"
    return stages


def _check_copy(words: list[str], names: set[str], context: Path) -> None:
    options = [word for word in words if word.startswith("--")]
    *sources, target = [word for word in words if not word.startswith("--")]
    assert target.startswith("/"), target
    stage = [option.removeprefix("--from=") for option in options if option.startswith("--from=")]
    if stage:
        assert stage[0] in names, f"no stage {stage[0]}"
        return
    for source in sources:
        assert ".." not in source and not source.startswith("/"), source
        assert (context / source).exists() or source.startswith("build/"), f"nothing at {source}"


def embedded_manifest(text: str) -> str:
    """The spack.yaml that a recipe of ``spack containerize`` writes, line by line."""
    lines = re.findall(
        r"echo (.*?)(?: \\|\) > /opt/spack-environment/spack.yaml)$", text, re.MULTILINE
    )
    start = next(number for number, line in enumerate(lines) if line == "spack:")
    found = []
    for line in lines[start:]:
        (word,) = shlex.split(line)
        if found and not word.startswith(" "):
            break
        found.append(word)
    return "\n".join(found) + "\n"
