#!/usr/bin/env bash
# Has clang parse every source, with -Wall -Wextra -Wthread-safety -Werror: the programs, their
# tests, the benchmarks and the fuzz targets.
#
# Usage: scripts/clang_check.sh
#
# GCC builds the programs; clang also checks that what a mutex guards is touched only under it.
# Generates no code. A second run parses what has changed. Unused parameters are no fault:
# implementations of an interface have them (CMakeLists.txt).
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  '') ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit ;;
  *) fail "unknown argument $1; see --help" ;;
esac

install_packages build test clang
configure_preset clang
log=$root/build/logs/clang-check.log
step "Checking every source with $(clang++ --version | head -n 1), $(jobs_at_once) at a time"
if (logged "$log" cmake --build "$build_dir" --target clang_check -j "$(jobs_at_once)" -- -k 0) \
  2>/dev/null; then
  note "$(tail -n 1 "$log")"
  exit
fi
# Of ninja's output, what the compiler says.
grep -vE '^(\[[0-9]+/[0-9]+\]|FAILED: |/\S*clang\+\+ |ninja: )' "$log" >&2 || true
fail "$(grep -cE '(error|warning): ' "$log") finding(s); all output is in $log"
