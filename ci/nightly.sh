#!/bin/sh
# A nightly: build, validate, publish, try out, promote.
#
#   ci/nightly.sh [ENVIRONMENT] [CHANNEL]          (base, nightly)
#
# FIDUCIAL_REPOSITORY   the folder that stacks are published to
# FIDUCIAL_SIGNING_KEY  the private key that signs, a file
# FIDUCIAL_TRUST        the public keys to trust, a file or a folder
# FIDUCIAL_BUILDER      wheels or spack              (wheels)
# FIDUCIAL_SCALE        smoke, standard or full      (standard)
#
# The channel moves in the last step only: after the verdict passed, the stack was published, and
# the published stack was deployed and remade the validated events. `set -e` ends at the first
# step that says no, and `fiducial repository promote` itself moves no channel without a signed
# verdict that passed. A stack whose verdict failed is published for inspection, and ends with 1.
set -eu

environment=${1:-base}
channel=${2:-nightly}
: "${FIDUCIAL_REPOSITORY:?the folder that stacks are published to}"
: "${FIDUCIAL_SIGNING_KEY:?the private key that signs}"
: "${FIDUCIAL_TRUST:?the public keys to trust}"
builder=${FIDUCIAL_BUILDER:-wheels}
scale=${FIDUCIAL_SCALE:-standard}
bin=${BIN:-.venv/bin}
work=build/nightly/$environment
stack=$work/stack

mkdir -p "$work"
# A CI system may hand its secret over in a file that others can read: such a key is refused.
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
trap 'exit 130' INT TERM
(umask 077 && cat "$FIDUCIAL_SIGNING_KEY" > "$private/signing.pem")
FIDUCIAL_SIGNING_KEY=$private/signing.pem
export FIDUCIAL_SIGNING_KEY FIDUCIAL_TRUST

"$bin/fiducial" lock "$environment" --check
if [ "$builder" = wheels ]; then
    "$bin/fiducial" build "$environment" --out "$stack"
else
    "$bin/fiducial" build "$environment" --builder "$builder" --out "$stack"
fi

status=0
"$bin/fiducial" validate "$stack" --scale "$scale" || status=$?
if [ "$status" -gt 1 ]; then
    exit "$status"        # it did not finish: there is no verdict, and nothing to publish
fi
"$bin/fiducial" report "$stack" --out "$work/report.html"
if [ "$status" -ne 0 ]; then
    "$bin/fiducial" publish "$stack" --repository "$FIDUCIAL_REPOSITORY" || true
    echo "nightly: the verdict failed: published for inspection, channel $channel stays" >&2
    exit 1
fi

"$bin/fiducial" publish "$stack" --repository "$FIDUCIAL_REPOSITORY"
release=$("$bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["stack"])' "$stack/manifest.json")
"$bin/fiducial" deploy --repository "$FIDUCIAL_REPOSITORY" --release "$release" --to "$work/site" --check
"$bin/fiducial" repository promote "$release" --repository "$FIDUCIAL_REPOSITORY" --channel "$channel"
