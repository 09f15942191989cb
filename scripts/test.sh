#!/usr/bin/env bash
# Sets up, builds and runs all tests.
#
# Usage: scripts/test.sh [--preset PRESET] [ARGUMENTS OF CTEST...]   e.g. -R catalog, --rerun-failed
#
# PRESET is release (the default), debug, asan or tsan.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

preset=release
case ${1:-} in
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0" && exit ;;
  --preset)
    [[ $# -ge 2 ]] || fail "--preset needs a name"
    preset=$2
    shift 2
    ;;
esac

install_packages build test
build_preset "$preset"
step "Testing"
# Some tests run several threads or a server themselves: two at a time on a small machine, half the
# cores on others.
tests_at_once=$(($(nproc) / 2 > 2 ? $(nproc) / 2 : 2))
stop_watching
if [[ ${ANTIPHON_BUILD_DIR:-} ]]; then
  exec ctest --test-dir "$build_dir" --output-on-failure --no-tests=error -j "$tests_at_once" "$@"
fi
exec ctest --preset "$preset" -j "$tests_at_once" "$@"
