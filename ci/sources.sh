#!/bin/sh
# The components' source archives as a Spack source mirror, a megabyte: recipes of components name
# no host, and wheels come from the package index. (`fiducial mirror create` makes one with
# everything, for runners that see no index: name it in FIDUCIAL_SOURCES.)
#
#   ci/sources.sh FOLDER
set -eu

archives=$1/.archives
.venv/bin/fiducial component archive "$archives"
for archive in "$archives"/*.tar.gz; do
    stem=$(basename "$archive" .tar.gz)
    name=py-$(printf '%s' "${stem%-*}" | tr _ -)
    mkdir -p "$1/$name"
    mv "$archive" "$1/$name/$name-${stem##*-}.tar.gz"
done
rm -rf "$archives"
