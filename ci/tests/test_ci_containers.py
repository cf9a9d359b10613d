"""Container recipes are well formed, run as an ordinary user, and copy only what there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CI = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CI / "containers"), str(Path(__file__).parent)]

from dockerfile import embedded_manifest, instructions, parse  # noqa: E402
from stack_image import render  # noqa: E402

from fiducial.stack.errors import InputError  # noqa: E402
from fiducial.stack.files import sha256_bytes  # noqa: E402
from fiducial.stack.manifest import (  # noqa: E402
    Builder,
    File,
    Interpreter,
    Manifest,
    Package,
    Platform,
    write_manifest,
)

DATA = b"print('hello')\n"


def manifest(mode: str = "bundled", licence: str = "MIT") -> Manifest:
    entry = File(sha256=sha256_bytes(DATA), size=len(DATA), mode="644")
    digest = "a" * 64
    package = Package(
        name="hello", version="1.0", kind="wheel", source_sha256=digest, licence=licence,
        files={"lib/hello.py": entry},
    )  # fmt: skip
    return Manifest(
        stack="toy-aaaaaaaaaaaa",
        environment="toy",
        lock_sha256=digest,
        inputs_sha256=digest,
        builder=Builder(name="wheels", version="1"),
        platform=Platform(system="linux", machine="x86_64", microarchitecture="x86_64"),
        interpreter=Interpreter.model_validate(
            {
                "mode": mode,
                "implementation": "cpython",
                "version": "3.11.7",
                "cache_tag": "cpython-311",
            }
        ),
        packages=(package,),
        files={},
    )


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    stack = tmp_path / "stack"
    (stack / "lib").mkdir(parents=True)
    (stack / "lib/hello.py").write_bytes(DATA)
    write_manifest(stack, manifest())
    return stack


def answer(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, CI / "containers/stack_image.py", *words]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def test_the_recipe_of_a_stack_is_well_formed_and_names_it(prefix: Path) -> None:
    recipe = prefix.parent / "Dockerfile"
    done = answer(prefix, "--out", recipe)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"docker build -f {recipe} -t toy {prefix}"
    (stage,) = parse(recipe.read_text(), prefix)
    assert instructions(recipe.read_text())[0] == ("ARG", "BASE=debian:12-slim")
    assert ("COPY", "--chown=0:0 . /opt/fiducial/toy-aaaaaaaaaaaa") in stage
    label = next(rest for word, rest in stage if word == "LABEL")
    assert f"sha256:{manifest().sha256}" in label and f"sha256:{'a' * 64}" in label


def test_the_base_image_can_be_named_by_digest(prefix: Path) -> None:
    base = f"debian:12-slim@sha256:{'0' * 64}"
    text = render(manifest(), prefix, prefix / "x", base)
    assert ("ARG", f"BASE={base}") in instructions(text)


def test_an_altered_stack_is_refused(prefix: Path) -> None:
    (prefix / "lib/hello.py").write_bytes(b"print('evil!')\n")
    done = answer(prefix, "--out", prefix.parent / "Dockerfile")
    assert done.returncode == 1 and "lib/hello.py" in done.stderr
    assert not (prefix.parent / "Dockerfile").exists()


def test_a_stack_that_is_bound_to_the_host_is_refused_with_what_to_do(prefix: Path) -> None:
    with pytest.raises(InputError, match="--interpreter bundled"):
        render(manifest("host"), prefix, prefix / "x")
    assert answer(prefix.parent, "--out", prefix.parent / "x").returncode == 2


def test_licences_with_quotes_do_not_end_the_label(prefix: Path) -> None:
    text = render(manifest(licence='BSD "new"'), prefix, prefix / "x")
    parse(text, prefix)
    assert "(BSD 'new')" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FROM debian\nUSER 1\nENTRYPOINT []", "with a tag"),
        ("FROM debian:12\nENTRYPOINT []", "runs as root"),
        ("FROM debian:12\nUSER root\nENTRYPOINT []", "runs as root"),
        ("FROM debian:12\nCOPI a /b", "no instruction"),
        ("FROM debian:12\nRUN if true", "syntax error"),
        ("FROM debian:12\nCOPY absent /b", "nothing at absent"),
        ("FROM debian:12\nCOPY --from=builder a /b", "no stage builder"),
        ("RUN true", "before FROM"),
    ],
)
def test_the_reader_of_recipes_is_strict(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=words):
        parse(text, tmp_path)


def test_the_manifest_in_a_recipe_of_spack_is_read_back() -> None:
    text = (
        "RUN mkdir -p /opt/spack-environment && \\\nset -o noclobber \\\n&&  (echo spack: \\\n"
        "&&   echo '  specs:' \\\n&&   echo '  - a+b' \\\n"
        "&&   echo '  view: /v') > /opt/spack-environment/spack.yaml\n"
    )
    assert yaml.safe_load(embedded_manifest(text)) == {"spack": {"specs": ["a+b"], "view": "/v"}}


def test_the_environment_for_containers_takes_its_settings_from_the_curated_ones() -> None:
    document = yaml.safe_load((CI / "containers/spack/spack.yaml").read_text())["spack"]
    for path in document["include"]:
        assert (CI.parent / path.removeprefix("/opt/fiducial/")).is_dir(), path
    base = yaml.safe_load((CI.parent / "environments/base/spack.yaml").read_text())["spack"]
    assert document["specs"] == base["specs"]
    assert not any(key.endswith(":") for key in document), "Spack's schema refuses mirrors::"
    assert (CI / "containers/spack/templates" / document["container"]["template"]).is_file()
