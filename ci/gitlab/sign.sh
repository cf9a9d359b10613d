#!/bin/sh
# Sign what a pipeline built for the sites: the last job of a pipeline on a protected branch.
#
#   ci/gitlab/sign.sh FOLDER        the concrete environment, made by `spack ci generate`
#
# FIDUCIAL_SITE_BUILDCACHE  the cache that sites install from
# FIDUCIAL_SITE_KEY         the secret key that sites trust, a file; no other job is given it
# SPACK_SIGNING_KEY         the pipeline's own key, base64 (Spack's variable)
#
# Installs everything from the pipeline's cache, and from there alone, which verifies the signature
# of each package; runs every smoke test; only then signs it all into the sites' cache.
set -eu

: "${FIDUCIAL_SITE_BUILDCACHE:?the cache that sites install from}"
: "${FIDUCIAL_SITE_KEY:?the secret key that sites trust}"
: "${SPACK_SIGNING_KEY:?the key that the jobs of this pipeline sign with}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

environment=$1
in_environment() {
    spack -c "config:install_tree:root:$work/store" -c "config:test_stage:$work/tests" -e "$environment" "$@"
}

SPACK_GNUPGHOME=$work/pipeline
export SPACK_GNUPGHOME
(umask 077 && printf '%s' "$SPACK_SIGNING_KEY" | base64 -d > "$work/pipeline.asc")
spack gpg trust "$work/pipeline.asc"
in_environment install --cache-only --only-concrete
in_environment test run --fail-fast

SPACK_GNUPGHOME=$work/site          # a keyring with one key: the one to sign with
spack gpg trust "$FIDUCIAL_SITE_KEY"
in_environment buildcache push --update-index --without-build-dependencies "$FIDUCIAL_SITE_BUILDCACHE"
