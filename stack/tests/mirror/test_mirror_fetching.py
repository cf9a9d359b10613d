"""Files come whole and right, or not at all; nothing that is there is fetched again."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.spack import fetching
from fiducial.stack.spack.fetching import Download, fetch_all
from fiducial.stack.spack.transport import UnavailableError, open_address

DATA = hashlib.shake_256(b"a source").digest(1_000_000)


def download(index, folder: Path, name: str = "a.whl", size: int | None = len(DATA)) -> Download:
    digest = hashlib.sha256(DATA).hexdigest()
    return Download(name, index.url(name), digest, folder / ".partial" / name, folder / name, size)


@pytest.fixture
def served(index, monkeypatch):
    index.put("a.whl", DATA)
    monkeypatch.setattr(fetching, "_PAUSE", 0.001)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return index


def test_a_file_comes_and_takes_its_name_when_it_is_right(served, tmp_path):
    told = []
    assert fetch_all([download(served, tmp_path)], told.append) == []
    assert (tmp_path / "a.whl").read_bytes() == DATA
    assert sum(told) == len(DATA)
    assert list((tmp_path / ".partial").iterdir()) == []


def test_what_an_earlier_run_left_is_not_fetched_again(served, tmp_path):
    row = download(served, tmp_path)
    row.partial.parent.mkdir()
    row.partial.write_bytes(DATA[:700_000])
    assert fetch_all([row]) == []
    assert served.asked == [("a.whl", "bytes=700000-")]
    assert served.sent["a.whl"] == 300_000
    assert row.target.read_bytes() == DATA


def test_a_file_that_was_complete_when_the_run_was_killed_is_not_fetched_at_all(served, tmp_path):
    row = download(served, tmp_path)
    row.partial.parent.mkdir()
    row.partial.write_bytes(DATA)
    assert fetch_all([row]) == []
    assert served.asked == [] and row.target.read_bytes() == DATA


def test_a_server_without_ranges_sends_the_whole_file_and_it_is_right(served, tmp_path):
    row = download(served, tmp_path)
    row.partial.parent.mkdir()
    row.partial.write_bytes(DATA[:700_000])
    served.faults["a.whl"] = ["whole"]
    assert fetch_all([row]) == []
    assert row.target.read_bytes() == DATA and len(served.asked) == 1


def test_a_damaged_beginning_is_begun_anew_once(served, tmp_path):
    row = download(served, tmp_path)
    row.partial.parent.mkdir()
    row.partial.write_bytes(bytes(700_000))
    assert fetch_all([row]) == []
    assert [wanted for _, wanted in served.asked] == ["bytes=700000-", None]
    assert row.target.read_bytes() == DATA


def test_a_transfer_that_is_cut_goes_on_where_it_was(served, tmp_path):
    served.faults["a.whl"] = ["cut", "500", "cut"]
    row = download(served, tmp_path)
    assert fetch_all([row]) == []
    assert row.target.read_bytes() == DATA
    assert served.sent["a.whl"] == len(DATA), "no byte was sent twice"


def test_a_server_that_always_hangs_up_is_given_up_and_what_came_is_kept(served, tmp_path):
    served.faults["a.whl"] = ["500"] * fetching.TRIES
    (failed,) = fetch_all([download(served, tmp_path)])
    assert "500" in failed.why and not failed.altered
    assert not (tmp_path / "a.whl").exists()


@pytest.mark.parametrize("fault", ["other", "404", "shifted"])
def test_one_bad_file_does_not_keep_the_others_away(served, tmp_path, fault):
    served.put("b.whl", DATA)
    served.faults["a.whl"] = [fault]
    rows = [download(served, tmp_path, name) for name in ("a.whl", "b.whl")]
    if fault == "shifted":
        rows[0].partial.parent.mkdir()
        rows[0].partial.write_bytes(DATA[:10])
    (failed,) = fetch_all(rows)
    assert failed.download.label == "a.whl" and failed.altered == (fault == "other")
    assert not rows[0].target.exists(), "nothing wrong takes the name"
    assert rows[1].target.read_bytes() == DATA


def test_a_file_that_does_not_end_is_cut_off_and_refused(served, tmp_path):
    served.put("a.whl", DATA * 20)
    (failed,) = fetch_all([download(served, tmp_path)])
    assert failed.altered and not (tmp_path / "a.whl").exists()
    assert served.sent["a.whl"] < 20 * len(DATA)


def test_a_longer_beginning_than_the_file_is_begun_anew(served, tmp_path):
    row = download(served, tmp_path, size=None)
    row.partial.parent.mkdir()
    row.partial.write_bytes(DATA + b"more")
    assert fetch_all([row]) == []
    assert row.target.read_bytes() == DATA


def test_nobody_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "_PAUSE", 0.001)
    row = Download("a", "http://127.0.0.1:9/a", "0" * 64, tmp_path / "p" / "a", tmp_path / "a")
    (failed,) = fetch_all([row])
    assert "refused" in failed.why


def test_an_address_that_cannot_be_read_is_said_so(tmp_path):
    for address, reason in {
        "ftp://127.0.0.1/a": "'ftp:' is no kind of address",
        (tmp_path / "none").as_uri(): "No such file",
    }.items():
        with pytest.raises(UnavailableError, match=reason), open_address(address):
            pass


def test_a_password_goes_to_the_host_that_it_is_for_and_to_no_other(served, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert fetch_all([download(served, tmp_path)]) == []
    assert served.credentials[-1] == "Basic bWU6c2VjcmV0"
    (tmp_path / "netrc").write_text("machine elsewhere login me password secret\n")
    (tmp_path / "a.whl").unlink()
    assert fetch_all([download(served, tmp_path)]) == []
    assert served.credentials[-1] is None


def test_what_cannot_fit_is_not_begun(served, tmp_path, monkeypatch):
    free = SimpleNamespace(free=len(DATA) - 1)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: free)
    with pytest.raises(EnvironmentProblem, match=r"no space left: 1\.0 MB are to come"):
        fetch_all([download(served, tmp_path)])
    assert served.asked == []


def in_child(work) -> int:
    """Exit code of ``work`` in a forked process; negative for a signal."""
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            work()
            code = 0
        except EnvironmentProblem as error:
            print(error, file=sys.stderr, flush=True)
            code = error.exit_code
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_disk_that_takes_no_more_is_an_error_and_the_next_run_goes_on(served, tmp_path, capfd):
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
        fetch_all([download(served, tmp_path)])

    assert in_child(limited) == 3
    assert "cannot write" in capfd.readouterr().err
    assert (tmp_path / ".partial/a.whl").stat().st_size == 600_000
    served.forget()
    assert fetch_all([download(served, tmp_path)]) == []
    assert served.sent["a.whl"] == 400_000


def test_no_space_is_called_so(served, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fetching.os, "fsync", refuse)
    with pytest.raises(EnvironmentProblem, match="no space left"):
        fetch_all([download(served, tmp_path)])
    assert not (tmp_path / "a.whl").exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_killed_run_is_taken_up_and_no_byte_on_disk_is_fetched_twice(served, tmp_path, share):
    served.slow = 0.001
    row = download(served, tmp_path)
    pid = os.fork()
    if pid == 0:
        fetch_all([row])
        os._exit(0)
    while not row.partial.exists() or row.partial.stat().st_size < share * len(DATA):
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    kept = row.partial.stat().st_size
    assert 0 < kept < len(DATA) and not row.target.exists()
    time.sleep(0.05)
    served.forget()
    served.slow = 0
    assert fetch_all([row]) == []
    assert served.sent["a.whl"] == len(DATA) - kept
    assert row.target.read_bytes() == DATA


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=5000), left=st.binary(max_size=6000), cut=st.integers(0, 5000))
def test_whatever_was_left_the_file_is_right_in_the_end(tmp_path, data, left, cut):
    place = tmp_path / "file"
    place.write_bytes(data)
    for beginning in (left, data[:cut]):
        row = Download(
            "it", place.as_uri(), hashlib.sha256(data).hexdigest(),
            tmp_path / "partial", tmp_path / "target",
        )  # fmt: skip
        row.partial.write_bytes(beginning)
        row.target.unlink(missing_ok=True)
        assert fetch_all([row]) == []
        assert row.target.read_bytes() == data and not row.partial.exists()
