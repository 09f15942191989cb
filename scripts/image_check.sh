#!/usr/bin/env bash
# Runs the tests as they are built in a container of the image, whose libraries they then use: what
# the image leaves out (deploy/image-excludes) is needed by none.
#
# Usage: scripts/image_check.sh [ARGUMENT OF CTEST]...
#
# The engine and the image are those of scripts/container_check.sh, which is run first. The tests
# are those of ANTIPHON_BUILD_DIR or, if that is not set, of build/release; nothing is written
# there. Exit status 77 where no engine can be started.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/engine.sh
source "$root/scripts/engine.sh"

case ${1:-} in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit ;; esac
build_dir=$(cd "${ANTIPHON_BUILD_DIR:-build/release}" && pwd)
source_dir=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build_dir/CMakeCache.txt")
start_engine "$root/build/containers"
has_image antiphon || fail "no image antiphon: scripts/container_check.sh makes it"

step "The image with what the tests need"
logged build/logs/docker-tests.log docker build --network host --tag antiphon-tests \
  --file tests/containers/tests.Dockerfile scripts
step "The tests"
mkdir -p "$build_dir"/{Testing,integration}
docker run --rm --init --tmpfs /tmp:exec --volume "$source_dir:$source_dir:ro" \
  --volume "$build_dir:$build_dir:ro" --tmpfs "$build_dir/Testing" \
  --tmpfs "$build_dir/integration:exec" antiphon-tests \
  ctest --test-dir "$build_dir" --output-on-failure "$@"
