#!/usr/bin/env bash
# Runs the unit tests as they are built in a container of the image, whose libraries they then use:
# what the image leaves out (deploy/image-excludes) is needed by none.
#
# Usage: scripts/image_check.sh
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
  --file tests/containers/tests.Dockerfile tests/containers
step "The tests"
mapfile -t tests < <(find "$build_dir" -name '*_test' -type f -perm -1 | sort)
((${#tests[@]} > 0)) || fail "no tests in $build_dir"
# shellcheck disable=SC2016 # expanded in the container
docker run --rm --init --tmpfs /tmp:exec --volume "$source_dir:$source_dir:ro" \
  --volume "$build_dir:$build_dir:ro" antiphon-tests bash -c 'failed=0
    for test in "$@"; do
      timeout 300 "$test" --gtest_brief=1 >/tmp/out 2>&1 && continue
      failed=$((failed + 1))
      echo "failed: $test"
      tail -n 5 /tmp/out
    done
    echo "$# test programs, $failed failed"
    ((failed == 0))' bash "${tests[@]}"
