"""The commands of ``fiducial repo`` that read: a folder or a web server, without a client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fiducial.stack.cli.options import AsJson, size
from fiducial.stack.cli.repo_options import (
    Address,
    Inside,
    Master,
    master_keys,
    open_view,
    show_time,
    tell,
    utc_now,
)


def info(repo: Address, trust: Master = None, as_json: AsJson = False) -> None:
    """Show what a repository says of itself: revision, whitelist, counters.

    Example:

        fiducial repo info http://server/cvmfs/software.example.org --trust software.example.org.pub
    """
    from fiducial.stack.cvmfs.http_source import open_source
    from fiducial.stack.cvmfs.reader import RepositoryView
    from fiducial.stack.cvmfs.revision import Demands, read_revision

    source = open_source(repo)
    revision = read_revision(source, Demands(master_keys(trust)))
    manifest, view = revision.manifest, RepositoryView(source, revision)
    counts = view.root.statistics.total
    record = {
        "name": manifest.name, "revision": manifest.revision, "root": str(manifest.root),
        "published": show_time(manifest.published), "ttl": manifest.ttl,
        "collectable": manifest.collectable,
        "whitelist_expires": f"{revision.whitelist.expires:%Y-%m-%d %H:00 UTC}",
        "whitelist_expired": revision.whitelist.has_expired(utc_now()), "counters": counts,
    }  # fmt: skip
    expired = " (EXPIRED)" if record["whitelist_expired"] else ""
    lines = [
        f"{manifest.name}: revision {manifest.revision}, published {record['published']}",
        f"whitelist expires {record['whitelist_expires']}{expired}",
        f"{counts['regular']} files ({size(counts['file_size'])}), {counts['dir']} directories, "
        f"{counts['symlink']} symlinks, {counts['nested'] + 1} catalogs",
    ]
    tell(record, lines, as_json)


def ls(
    repo: Address, path: Annotated[str, typer.Argument(metavar="[PATH]")] = "/",
    trust: Master = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List a directory of a repository, verified, without a client.

    Example:

        fiducial repo ls http://server/cvmfs/software.example.org /base
    """
    import stat

    from fiducial.stack.cvmfs.path_hash import parse_path, show

    view = open_view(repo, trust)
    inside = parse_path(path)
    entry = view.lookup(inside)
    listing = view.listing(inside) if entry.is_directory else {entry.name: entry}
    rows = [
        {"name": show(item.name), "kind": item.kind, "mode": stat.filemode(item.mode),
         "size": item.size, "modified": show_time(item.mtime), "target": show(item.symlink)
         if item.is_symlink else None}
        for item in listing.values()
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        arrow = f" -> {row['target']}" if row["target"] else ""
        typer.echo(f"{row['mode']} {row['size']:>12} {row['modified']} {row['name']}{arrow}")


def du(
    repo: Address,
    path: Annotated[str, typer.Argument(metavar="[PATH]")] = "/",
    trust: Master = None,
    as_json: AsJson = False,
) -> None:
    """Tell how many files and bytes lie below each part of a directory, the largest first.

    Example:

        fiducial repo du http://server/cvmfs/software.example.org /base
    """
    from fiducial.stack.cvmfs.path_hash import parse_path, show
    from fiducial.stack.cvmfs.usage import disk_usage

    found = disk_usage(open_view(repo, trust), parse_path(path))
    rows = [
        {"path": show(u.path), "files": u.files, "bytes": u.bytes, "catalogs": u.catalogs}
        for u in found
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for u in found:
        typer.echo(
            f"{size(u.bytes):>10} {u.files:>9} files {u.catalogs:>4} catalogs  {show(u.path)}"
        )


def cat(repo: Address, path: Inside, trust: Master = None) -> None:
    """Write a file's content to standard output, verified.

    Example:

        fiducial repo cat http://server/cvmfs/software.example.org /base/2026.1/manifest.json
    """
    import sys

    from fiducial.stack.cvmfs.path_hash import parse_path

    view = open_view(repo, trust)
    inside = parse_path(path)
    for piece in view.pieces(inside, view.lookup(inside)):
        sys.stdout.buffer.write(piece)
    sys.stdout.flush()


def extract(
    repo: Address,
    path: Inside,
    target: Annotated[Path, typer.Argument(metavar="TO", help="A folder of your own.")],
    trust: Master = None,
    outside_links: Annotated[
        bool, typer.Option("--outside-links", help="Allow links that lead out of the tree.")
    ] = False,
    setuid: Annotated[bool, typer.Option("--setuid", help="Keep setuid bits.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64)] = 8,
    as_json: AsJson = False,
) -> None:
    """Write a directory of a repository to disk, verified, in parallel; again to go on.

    Example:

        fiducial repo extract http://server/cvmfs/software.example.org /base/2026.1 here
    """
    from fiducial.stack.cvmfs.extract import ExtractPolicy
    from fiducial.stack.cvmfs.extract import extract as carry_out
    from fiducial.stack.cvmfs.path_hash import parse_path
    from fiducial.stack.progress import make_progress

    view = open_view(repo, trust)
    policy = ExtractPolicy(outside_links, setuid, workers=workers)
    with make_progress(as_json) as progress, progress.phase("extract files") as task:
        done = carry_out(view, parse_path(path), target, policy, task.advance)
    record = {"files": done.files, "bytes": done.bytes, "reused": done.reused}
    there = f", {done.reused} were there" if done.reused else ""
    tell(record, [f"{target}: {done.files} files, {size(done.bytes)}{there}"], as_json)


def check(
    repo: Address,
    trust: Master = None,
    name: Annotated[str | None, typer.Option("--name", help="What it must be called.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not read the contents of files.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64)] = 8,
    as_json: AsJson = False,
) -> None:
    """Check everything that a repository holds; exit 1 naming what is wrong.

    Example:

        fiducial repo check /srv/cvmfs/software.example.org
    """
    from fiducial.stack.cvmfs.check import check_repository
    from fiducial.stack.cvmfs.faults import Gravity, RefusedRepository
    from fiducial.stack.cvmfs.http_source import open_source
    from fiducial.stack.progress import make_progress

    with make_progress(as_json) as progress:
        report = check_repository(
            open_source(repo), master_keys(trust), utc_now(), name, not quick, workers, progress
        )
    record = {
        "sound": report.sound, "revision": report.revision, "catalogs": report.catalogs,
        "entries": report.entries, "objects": report.objects, "bytes": report.bytes,
        "faults": [fault.to_dict() for fault in report.faults],
    }  # fmt: skip
    advice = [f for f in report.faults if f.kind.gravity is Gravity.ADVICE]
    lines = [f"advice: {fault}" for fault in advice]
    if report.sound:
        lines.append(
            f"{repo}: sound (revision {report.revision}, {report.catalogs} catalogs, "
            f"{report.entries} entries, {report.objects} objects)"
        )
    tell(record, lines, as_json)
    if not report.sound:
        raise RefusedRepository(repo, [f for f in report.faults if f not in advice])
