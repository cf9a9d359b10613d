"""Web servers that stall, cut off, lie or are down: tried again, then named."""

from __future__ import annotations

import http.server
import threading
import time
from pathlib import Path

import pytest

from fiducial.stack.cvmfs.digest import Kind
from fiducial.stack.cvmfs.extract import extract
from fiducial.stack.cvmfs.faults import FaultKind, RefusedRepository
from fiducial.stack.cvmfs.http_source import HttpSource, open_source
from fiducial.stack.cvmfs.reader import RepositoryView
from fiducial.stack.cvmfs.revision import Demands, read_revision
from fiducial.stack.errors import EnvironmentProblem, InputError

from .conftest import NAME, snapshot


class Moody(http.server.BaseHTTPRequestHandler):
    """Serves a folder, in the mood that the test sets."""

    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        path = Path(server.folder + self.path)
        mood = server.mood(self.path, server.asked.count(self.path))
        if isinstance(mood, int):
            self.send_response(mood)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if mood == "stall":
            time.sleep(2)
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        self.send_response(200)
        if mood == "endless":
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                for _ in range(2000):
                    self.wfile.write(b"\0" * 65536)
            except OSError:
                return
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if mood == "cut":
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.wfile.write(b"x" * len(data) if mood == "garbage" else data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(workshop, tree):
    workshop.publish(tree)
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Moody)
    made.folder, made.asked, made.mood = str(workshop.root), [], lambda path, time: "well"
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    made.source = HttpSource(f"http://127.0.0.1:{made.server_port}", timeout=1.0)
    yield made
    made.shutdown()
    made.server_close()


def view(workshop, server) -> RepositoryView:
    demands = Demands(workshop.masters, NAME, workshop.now)
    return RepositoryView(server.source, read_revision(server.source, demands))


@pytest.mark.parametrize("mood", [503, 500, "cut", "stall"])
def test_a_failure_that_passes_is_tried_again(workshop, server, tree, tmp_path, mood):
    server.mood = lambda path, time: mood if time == 1 and "/data/" in path else "well"
    extract(view(workshop, server), b"/sw/1", tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tree)


def test_a_server_that_is_down_is_named_and_nothing_half_is_left(workshop, server, tmp_path):
    seen = view(workshop, server)
    run = seen.lookup(b"/sw/1/bin/run").digest().path(Kind.FILE)
    server.mood = lambda path, time: "cut" if path.endswith(run[5:]) else "well"
    with pytest.raises(EnvironmentProblem, match=r"cannot fetch data/"):
        extract(seen, b"/sw/1", tmp_path / "out")
    assert not (tmp_path / "out/bin/run").exists()
    server.mood = lambda path, time: "well"
    done = extract(seen, b"/sw/1", tmp_path / "out")
    assert (tmp_path / "out/bin/run").read_text() == "#!/bin/sh\necho run\n"
    assert done.files >= 1


def test_garbage_is_refused_without_another_try(workshop, server):
    seen = view(workshop, server)
    entry = seen.lookup(b"/sw/1/bin/run")
    server.mood = lambda path, time: "garbage"
    with pytest.raises(RefusedRepository) as caught:
        seen.read(b"/sw/1/bin/run")
    assert caught.value.kinds == {FaultKind.OBJECT_CHANGED}
    assert server.asked.count("/" + entry.digest().path(Kind.FILE)) == 1


def test_an_answer_without_an_end_is_cut_off(workshop, server):
    seen = view(workshop, server)
    seen.lookup(b"/sw/1/bin/run")
    server.mood = lambda path, time: "endless"
    with pytest.raises(RefusedRepository) as caught:
        seen.read(b"/sw/1/bin/run")
    assert caught.value.kinds == {FaultKind.OBJECT_SIZE}


def test_an_absent_object_is_no_network_failure(workshop, server):
    seen = view(workshop, server)
    entry = seen.lookup(b"/sw/1/bin/run")
    (workshop.root / entry.digest().path(Kind.FILE)).unlink()
    with pytest.raises(RefusedRepository) as caught:
        seen.read(b"/sw/1/bin/run")
    assert caught.value.kinds == {FaultKind.OBJECT_MISSING}


def test_a_forbidden_file_is_named_at_once(workshop, server):
    server.mood = lambda path, time: 403
    with pytest.raises(EnvironmentProblem, match="the server answered 403"):
        view(workshop, server)
    assert len(server.asked) == 1


def test_addresses_are_told_from_folders(tmp_path):
    assert open_source("file:///srv/a%20b").location == "/srv/a b"
    assert open_source(str(tmp_path)).location == str(tmp_path)
    with pytest.raises(InputError, match="is no address"):
        open_source("http://")
