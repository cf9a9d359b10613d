"""A nightly moves its channel in the last step only, and only when every step said yes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CI))

from rehearse import clone  # noqa: E402

BIN = Path(sys.executable).parent
STEPS = ("lock", "build", "validate", "report", "publish", "deploy", "repository")

FAKE = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
key = pathlib.Path(os.environ["FIDUCIAL_SIGNING_KEY"])
record = {{"words": words, "mode": oct(key.stat().st_mode & 0o777), "key": key.read_text()}}
with (here / "said").open("a") as stream:
    stream.write(json.dumps(record) + "\\n")
if words[0] == "build":
    place = pathlib.Path(words[words.index("--out") + 1])
    place.mkdir(parents=True, exist_ok=True)
    (place / "manifest.json").write_text(json.dumps({{"stack": "base-0123456789ab"}}))
codes = json.loads((here / "codes").read_text())
sys.exit(codes.get(words[0], 0))
"""


class Publisher:
    """A machine where ``fiducial`` answers as it is told, and writes down what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.bin.mkdir()
        program = self.bin / "fiducial"
        program.write_text(FAKE.format(python=sys.executable))
        program.chmod(0o755)
        (self.bin / "python").symlink_to(sys.executable)
        self.key = folder / "key"
        self.key.write_text("SECRET")
        self.key.chmod(0o644)

    def run(
        self, *words: str, codes: dict[str, int] | None = None, **variables: str
    ) -> tuple[int, str]:
        (self.bin / "codes").write_text(json.dumps(codes or {}))
        given = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.folder),
            "BIN": str(self.bin),
            "FIDUCIAL_REPOSITORY": str(self.folder / "repository"),
            "FIDUCIAL_SIGNING_KEY": str(self.key),
            "FIDUCIAL_TRUST": str(self.folder / "trust"),
        }
        given = {key: value for key, value in (given | variables).items() if value}
        done = subprocess.run(
            [CI / "nightly.sh", *words], cwd=self.folder, env=given, capture_output=True, text=True
        )
        return done.returncode, done.stderr

    @property
    def asked(self) -> list[dict[str, object]]:
        path = self.bin / "said"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def steps(self) -> list[str]:
        return [row["words"][0] for row in self.asked]  # type: ignore[index]

    @property
    def promoted(self) -> bool:
        """Whether anything was asked that can move a channel."""
        return any("promote" in row["words"] or "--channel" in row["words"] for row in self.asked)  # type: ignore[operator]


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


def test_the_channel_moves_after_everything_else_said_yes(publisher: Publisher) -> None:
    code, _ = publisher.run("base", "nightly")
    assert code == 0
    assert tuple(publisher.steps) == STEPS
    movers = [row["words"] for row in publisher.asked if "--channel" in row["words"]]  # type: ignore[operator]
    assert movers == [publisher.asked[-1]["words"]]
    assert movers[0][:3] == ["repository", "promote", "base-0123456789ab"]  # type: ignore[index]


@pytest.mark.parametrize("step", STEPS[:-1])
@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_a_step_that_fails_leaves_the_channel_where_it_is(
    publisher: Publisher, step: str, code: int
) -> None:
    ended, _ = publisher.run(codes={step: code})
    assert ended == code
    assert not publisher.promoted


def test_a_promotion_that_is_refused_fails_the_job(publisher: Publisher) -> None:
    assert publisher.run(codes={"repository": 1})[0] == 1


def test_a_stack_that_failed_its_verdict_is_published_for_inspection(publisher: Publisher) -> None:
    code, said = publisher.run(codes={"validate": 1, "publish": 1})
    assert code == 1
    assert publisher.steps == ["lock", "build", "validate", "report", "publish"]
    assert not publisher.promoted
    assert "published for inspection, channel nightly stays" in said


def test_without_a_verdict_nothing_is_published(publisher: Publisher) -> None:
    assert publisher.run(codes={"validate": 3})[0] == 3
    assert publisher.steps == ["lock", "build", "validate"]


def test_a_key_that_others_can_read_is_used_from_a_private_copy_that_is_removed(
    publisher: Publisher,
) -> None:
    assert stat.S_IMODE(publisher.key.stat().st_mode) == 0o644
    for codes in ({}, {"validate": 3}):
        publisher.run(codes=codes)
        assert {row["mode"] for row in publisher.asked} == {"0o600"}
        assert {row["key"] for row in publisher.asked} == {"SECRET"}
    assert not list(publisher.folder.rglob("signing.pem"))


@pytest.mark.parametrize("name", ["FIDUCIAL_REPOSITORY", "FIDUCIAL_SIGNING_KEY", "FIDUCIAL_TRUST"])
def test_a_variable_that_is_not_set_is_said_before_anything_is_done(
    publisher: Publisher, name: str
) -> None:
    code, said = publisher.run(**{name: ""})
    assert code != 0 and name in said
    assert publisher.steps == []


def test_builder_and_scale_are_handed_on(publisher: Publisher) -> None:
    publisher.run("gpu", "weekly", FIDUCIAL_BUILDER="spack", FIDUCIAL_SCALE="full")
    words = {row["words"][0]: row["words"] for row in publisher.asked}  # type: ignore[index]
    assert words["build"][1:4] == ["gpu", "--builder", "spack"]
    assert words["validate"][-2:] == ["--scale", "full"]
    assert words["repository"][-2:] == ["--channel", "weekly"]


@pytest.mark.slow
@pytest.mark.network
def test_a_real_nightly_moves_its_channel_and_who_is_not_trusted_moves_none(
    tmp_path: Path,
) -> None:
    checkout = clone(tmp_path / "checkout")

    def say(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [str(word) for word in words]
        return subprocess.run(
            command, cwd=checkout, env=os.environ | variables, capture_output=True, text=True
        )

    repository, key = tmp_path / "repository", tmp_path / "signing.pem"
    assert say(BIN / "fiducial", "key", "new", key).returncode == 0
    given = {
        "BIN": str(BIN),
        "FIDUCIAL_REPOSITORY": str(repository),
        "FIDUCIAL_SIGNING_KEY": str(key),
        "FIDUCIAL_TRUST": str(tmp_path / "signing.pub.pem"),
        "FIDUCIAL_SCALE": "smoke",
    }
    done = say("ci/nightly.sh", "base", "nightly", **given)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    def channel() -> object:
        listed = say(
            BIN / "fiducial", "repository", "list", "--repository", repository, "--json", **given
        )
        assert listed.returncode == 0, listed.stderr
        return json.loads(listed.stdout)["channels"]

    before = channel()
    assert "nightly" in json.dumps(before)
    assert say(BIN / "fiducial", "key", "new", tmp_path / "other.pem").returncode == 0
    (manifest,) = checkout.glob("build/nightly/base/stack/manifest.json")
    release = json.loads(manifest.read_text())["stack"]
    words = ["repository", "promote", release, "--repository", repository, "--channel", "latest"]
    words += ["--key", tmp_path / "other.pem", "--trust", tmp_path / "other.pub.pem"]
    refused = say(BIN / "fiducial", *words)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert channel() == before
