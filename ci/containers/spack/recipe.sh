#!/bin/sh
# The recipe of a container image with the components, installed by Spack. In a checkout:
#
#   ci/sources.sh build/image/sources
#   ci/containers/spack/recipe.sh > build/image/Dockerfile
#   docker build -f build/image/Dockerfile -t fiducial .
#
# spack.yaml beside this file says what is in it. The environment is not activated: what it
# includes lies in the image only.
set -eu

cd "$(dirname "$0")"
exec spack -E -c "config:template_dirs:[$PWD/templates]" containerize
