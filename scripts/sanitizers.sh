#!/usr/bin/env bash
# Builds and runs the tests under the sanitizers: all of them under AddressSanitizer and
# UndefinedBehaviorSanitizer, those of core and server under ThreadSanitizer.
#
# Usage: scripts/sanitizers.sh [address|thread]
#
# Builds into build/asan and build/tsan. What a sanitizer reports, of tests and of servers that
# tests start, is kept in build/PRESET/reports. The figures come last; exit status 1 when a test
# failed or anything was reported. What is passed over, and why: tests/sanitizers/*.supp.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit ;;
  '') sanitizers=(address thread) ;;
  address | thread) sanitizers=("$1") ;;
  *) fail "unknown argument $1; see --help" ;;
esac
tests_at_once=$(($(nproc) / 2 > 2 ? $(nproc) / 2 : 2))
figures=() status=0

# count_tests LOG: "RUN FAILED" of one or several runs of ctest.
count_tests() {
  awk '
    /tests passed, [0-9]+ tests failed out of/ { run += $NF; failed += $4 }
    END { print run + 0, failed + 0 }' "$1"
}

# test_under PRESET FOLDER...: runs the tests registered below these folders of the build, and adds
# a figure.
test_under() {
  local preset=$1 reports=$root/build/$1/reports log=$root/build/logs/test-$1.log
  local folder run failed found
  shift
  rm -rf "$reports"
  mkdir -p "$reports"
  export ASAN_OPTIONS="detect_stack_use_after_return=1:log_path=$reports/report"
  export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:log_path=$reports/report"
  export LSAN_OPTIONS="suppressions=$root/tests/sanitizers/leaks.supp:print_suppressions=0"
  # What libraries without the sanitizer do with memory by way of libc is theirs: what orders it
  # cannot be seen.
  export TSAN_OPTIONS="suppressions=$root/tests/sanitizers/threads.supp:second_deadlock_stack=1"
  TSAN_OPTIONS+=":log_path=$reports/report:ignore_noninstrumented_modules=1"
  # OpenBLAS has threads of its own, which wait for each other where the sanitizer cannot see it;
  # one waits for nobody.
  [[ $preset != tsan ]] || export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
  step "Testing build/$preset, $tests_at_once at a time"
  : >"$log"
  for folder in "$@"; do
    # Torture and thousands of edits take minutes as it is.
    ctest --test-dir "$root/build/$preset/$folder" --output-on-failure --no-tests=error \
      -j "$tests_at_once" -LE no_sanitizers >>"$log" 2>&1 || status=1
  done
  read -r run failed < <(count_tests "$log")
  found=$(find "$reports" -type f | wc -l)
  ((found == 0)) || status=1
  grep -E '\*\*\*|^The following tests FAILED' "$log" || true
  figures+=("$(printf '%-6s %5d tests run, %d failed, %d report(s) in build/%s/reports' \
    "$preset" "$run" "$failed" "$found" "$preset")")
}

install_packages build test
for sanitizer in "${sanitizers[@]}"; do
  if [[ $sanitizer == address ]]; then
    build_preset asan
    test_under asan .
  else
    build_preset tsan core/all server/all
    test_under tsan core server
  fi
done
printf '\n'
printf '%s\n' "${figures[@]}"
exit $status
