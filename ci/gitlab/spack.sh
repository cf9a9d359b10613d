# Sourced by the Spack jobs in the root of the checkout, on Debian 12 (the reference host): brings
# Spack and its recipes at the pinned commits. Nothing is written to the home folder.
#
# FIDUCIAL_ENVIRONMENT                         the environment to build: environments/base
# FIDUCIAL_BUILDCACHE                          where the pipeline's packages go (an address or a folder)
# FIDUCIAL_SOURCES                             a Spack source mirror (build/spack-ci/sources)
# SPACK_ROOT                                   a Spack that the image has; else these are cloned:
# SPACK_REPOSITORY, SPACK_PACKAGES_REPOSITORY  (mirrors of your site, if you have any)
# FIDUCIAL_APT                                 0: the image has the system's packages already
set -eu

pinned() {     # PART: its commit in environments/pins.yaml
    awk -v part="  $1:" '$0 == part { on = 1 } on && $1 == "commit:" { print $2; exit }' environments/pins.yaml
}
: "${FIDUCIAL_ENVIRONMENT:=environments/base}"
: "${FIDUCIAL_BUILDCACHE:?where the packages that the pipeline builds go}"
: "${FIDUCIAL_SOURCES:=$PWD/build/spack-ci/sources}"
export FIDUCIAL_ENVIRONMENT FIDUCIAL_BUILDCACHE FIDUCIAL_SOURCES
: "${SPACK_REPOSITORY:=https://github.com/spack/spack.git}"
: "${SPACK_PACKAGES_REPOSITORY:=https://github.com/spack/spack-packages.git}"

if [ "${FIDUCIAL_APT:-1}" = 1 ]; then
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends \
        bzip2 ca-certificates curl file g++ gcc gfortran git gnupg make patch patchelf \
        python3-dev unzip xz-utils
fi

fetch_at() {   # FOLDER REPOSITORY COMMIT: one commit, without its history
    if [ "$(git -C "$1" rev-parse --verify -q HEAD 2>/dev/null || true)" != "$3" ]; then
        git init -q "$1"
        git -C "$1" fetch -q --depth 1 "$2" "$3"
        git -C "$1" checkout -q --force FETCH_HEAD
    fi
}

tools=$PWD/build/spack-tools
if [ -z "${SPACK_ROOT:-}" ]; then
    fetch_at "$tools/spack" "$SPACK_REPOSITORY" "$(pinned spack)"
    fetch_at "$tools/packages" "$SPACK_PACKAGES_REPOSITORY" "$(pinned builtin)"
    SPACK_ROOT=$tools/spack
    mkdir -p "$SPACK_ROOT/etc/spack/site"
    printf 'repos:\n  builtin: %s/packages/repos/spack_repo/builtin\n' "$tools" \
        > "$SPACK_ROOT/etc/spack/site/repos.yaml"
fi
SPACK_USER_CACHE_PATH=${SPACK_USER_CACHE_PATH:-$PWD/.cache/spack}
SPACK_USER_CONFIG_PATH=$PWD/ci/gitlab/spack       # what pipelines add: ci.yaml, mirrors.yaml
SPACK_PYTHON=${SPACK_PYTHON:-/usr/bin/python3}
export SPACK_ROOT SPACK_PYTHON SPACK_USER_CACHE_PATH SPACK_USER_CONFIG_PATH
unset SPACK_DISABLE_LOCAL_CONFIG
# shellcheck disable=SC1091
set +eu; . "$SPACK_ROOT/share/spack/setup-env.sh"; set -e

# The image is the reference host: with its paths the hashes are those of the committed locks.
if [ ! -d environments/host ]; then
    cp -r environments/common/reference-host environments/host
fi
