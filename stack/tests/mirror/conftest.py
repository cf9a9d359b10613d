"""A package index that serves a folder and misbehaves on demand, and a checkout that needs it."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fiducial.stack.environment import load_environment
from fiducial.stack.lockfile import LockedPackage, render_lock
from fiducial.stack.spack.lock_graph import node_hash
from fiducial.stack.workspace import Workspace


@dataclass
class Index:
    """The folder that is served, what was asked and sent, and how it misbehaves.

    ``faults`` maps file names to a list of what happens to the next requests, one each:
    ``500``, ``404``, ``cut`` (half of what was asked for, then it hangs up), ``whole`` (ranges
    are ignored), ``other`` (other bytes), ``shifted`` (a range that was not asked for).
    """

    folder: Path
    address: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=dict)
    credentials: list[str | None] = field(default_factory=list)
    slow: float = 0.0
    page: bool = True

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"

    def put(self, name: str, data: bytes) -> str:
        """Serve ``data`` as ``name``; its SHA-256."""
        (self.folder / name).write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    def forget(self) -> None:
        self.asked.clear()
        self.sent.clear()


def _handler(index: Index) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return None

        def do_HEAD(self) -> None:
            self._answer(False)

        def do_GET(self) -> None:
            self._answer(True)

        def _answer(self, with_body: bool) -> None:
            name = self.path.lstrip("/")
            index.credentials.append(self.headers.get("Authorization"))
            if not name:
                names = sorted(path.name for path in index.folder.iterdir())
                links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
                self._send(200, f"<html><body>{links}</body></html>".encode(), with_body)
                return
            path = index.folder / name
            # uv reads the metadata of a wheel by ranges: only whole requests count as fetching
            ours = "fiducial" in self.headers.get("User-Agent", "")
            fault = index.faults[name].pop(0) if ours and index.faults.get(name) else ""
            wanted = self.headers.get("Range")
            if ours:
                index.asked.append((name, wanted))
            if fault in ("500", "404") or not path.is_file():
                self._send(int(fault or 404), b"", with_body)
                return
            data, first = path.read_bytes(), 0
            if fault == "other":
                data = bytes(len(data))
            if wanted and fault != "whole":
                begin, _, end = wanted.removeprefix("bytes=").partition("-")
                first = int(begin) if begin else len(data) - int(end)
                if first >= len(data):
                    self._send(416, b"", with_body)
                    return
                last = min(int(end), len(data) - 1) if begin and end else len(data) - 1
                shown = first + 1 if fault == "shifted" else first
                part = data[first : last + 1]
                headers = {"Content-Range": f"bytes {shown}-{last}/{len(data)}"}
                self._send(206, part, with_body, headers, fault, name if ours else "")
                return
            self._send(
                200, data, with_body, {"Accept-Ranges": "bytes"}, fault, name if ours else ""
            )

        def _send(
            self,
            status: int,
            body: bytes,
            with_body: bool,
            headers: dict[str, str] | None = None,
            fault: str = "",
            count_as: str = "",
        ) -> None:
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Type", "text/html" if not count_as else "application/zip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not with_body:
                return
            if fault == "cut":
                body = body[: len(body) // 2]
                self.close_connection = True
            step = 4096 if index.slow else max(1, len(body))
            for start in range(0, len(body), step):
                try:
                    self.wfile.write(body[start : start + step])
                    self.wfile.flush()
                except OSError:  # the client is gone
                    self.close_connection = True
                    return
                if count_as:
                    index.sent[count_as] += len(body[start : start + step])
                if index.slow:
                    time.sleep(index.slow)

    return Handler


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """A server on this machine, with an empty folder."""
    folder = tmp_path / "index"
    folder.mkdir()
    found = Index(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    server.daemon_threads = True
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


def make_wheel(name: str, version: str, size: int = 20_000) -> tuple[str, bytes]:
    """File name and bytes of a pure-Python wheel with ``size`` incompressible bytes in it."""
    info = f"{name}-{version}.dist-info"
    filler = hashlib.shake_256(f"{name} {version}".encode()).digest(size)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        rows = {
            f"{name}/data.bin": filler,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }
        for path, data in rows.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return f"{name}-{version}-py3-none-any.whl", stream.getvalue()


@dataclass
class Site:
    """A checkout with one environment, and the index that has what it needs."""

    workspace: Workspace
    index: Index
    wheels: dict[str, str]

    @property
    def environment(self) -> Path:
        return self.workspace.environments / "toy"

    def serve(self, name: str) -> str:
        """Put one more wheel into the index; its SHA-256."""
        return self.index.put(*make_wheel(name, "1.0"))

    def lock(self) -> None:
        """Write the wheel lock of what the index has."""
        environment = load_environment(self.workspace, "toy")
        packages = tuple(
            LockedPackage(name.split("-")[0], name.split("-")[1], "", {digest: name})
            for name, digest in sorted(self.wheels.items())
        )
        data = render_lock(
            "toy", environment.python, environment.digest, environment.inputs, packages
        )
        environment.lock_path.write_bytes(data)

    def spack_lock(self, nodes: dict[str, dict[str, object]]) -> None:
        """Write a spack.lock of ``nodes`` (name: what is special), each with its real hash."""
        entries = {}
        for name, row in nodes.items():
            node: dict[str, object] = {
                "name": name, "version": "1.0", "namespace": "builtin", "parameters": {},
                "annotations": {"original_specfile_version": 5}, **row,
            }  # fmt: skip
            node["hash"] = node_hash(node)
            entries[str(node["hash"])] = node
        roots = [{"hash": digest, "spec": str(row["name"])} for digest, row in entries.items()]
        document = {
            "_meta": {"file-type": "spack-lockfile", "lockfile-version": 6},
            "spack": {"version": "1.2.0"},
            "roots": roots,
            "concrete_specs": entries,
        }
        (self.environment / "spack.lock").write_text(json.dumps(document))

    def recipe(self, namespace: str, package: str, text: str) -> None:
        """Write a recipe of ours."""
        folder = package.replace("-", "_")
        path = self.workspace.root / "spack-repo/spack_repo" / namespace / "packages" / folder
        path.mkdir(parents=True)
        (path / "package.py").write_text(text)


@pytest.fixture
def site(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Three wheels in the index, an environment that locks them, and nothing else in reach."""
    for name in [
        name for name in os.environ if name.startswith(("UV_", "PIP_", "FIDUCIAL_", "SPACK"))
    ]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "uv.toml").write_text(f'no-index = true\nfind-links = ["{index.address}/"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "uv.toml"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    root = tmp_path / "checkout"
    for folder in ("components", "environments/common", "environments/toy", "spack-repo"):
        (root / folder).mkdir(parents=True)
    (root / "environments/pins.yaml").write_text("format: 1\npins: {}\n")
    (root / "environments/common/wheels.yaml").write_text(
        'format: 1\npython: ">=3.11"\nresolve_for: "3.11"\nglibc: "2.28"\n'
    )
    (root / "environments/toy/wheels.in").write_text("# A toy.\nalpha\n")
    wheels = {}
    for name, size in (("alpha", 300_000), ("beta", 20_000), ("gamma", 5_000)):
        filename, data = make_wheel(name, "1.0", size)
        wheels[filename] = index.put(filename, data)
    made = Site(Workspace(root), index, wheels)
    made.lock()
    return made
