#!/usr/bin/env bash
# Builds the fuzz targets (tests/fuzz) with clang and runs them, one after the other, or several at
# a time.
#
# Usage: scripts/fuzz.sh [--seconds N] [--jobs N] [TARGET...]
#
# Every target runs for N seconds (600), from seeds made anew, from those in tests/fuzz/seeds/TARGET
# and from what earlier runs found worth keeping, in build/fuzz/corpus/TARGET. At the end a table
# says what was executed and found. Exit status 1 when there was a finding: its input lies in
# build/fuzz/findings; build/fuzz/bin/TARGET_fuzz INPUT runs it again.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=600 at_once=1 targets=()
while (($# > 0)); do
  case $1 in
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0" && exit ;;
    --seconds | --jobs)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "$1 needs a number"
      if [[ $1 == --seconds ]]; then seconds=$2; else at_once=$2; fi
      shift
      ;;
    -*) fail "unknown argument $1; see --help" ;;
    *) targets+=("$1") ;;
  esac
  shift
done

# The longest input that a target is given, in bytes: about what its seeds need.
longest_input() {
  case $1 in
    audio_decoder | ffmpeg_reader) echo 16384 ;;
    catalog | journal) echo 40960 ;;
    requests | answers) echo 16384 ;;
    exchange | midi_reader | musicxml | abc) echo 8192 ;;
    *) echo 4096 ;;
  esac
}

# Runs a target; its whole output becomes build/fuzz/logs/TARGET.log.
run_target() {
  local target=$1 corpus=$fuzz_dir/corpus/$1 arguments stored=()
  mkdir -p "$corpus" "$fuzz_dir/seeds/$target"
  arguments=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=3072
    -max_len="$(longest_input "$target")"
    -artifact_prefix="$fuzz_dir/findings/$target-" -print_final_stats=1)
  # What decoders print of every broken file; reports still come.
  [[ $target != audio_decoder ]] || arguments+=(-close_fd_mask=2)
  # Seeds that other programs made.
  [[ ! -d tests/fuzz/seeds/$target ]] || stored=("tests/fuzz/seeds/$target")
  if [[ -f tests/fuzz/dictionaries/$target.dict ]]; then
    arguments+=(-dict="tests/fuzz/dictionaries/$target.dict")
  fi
  # One thread in each library: speed comes from running targets side by side.
  OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 UBSAN_OPTIONS=print_stacktrace=1 \
    ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1 \
    "$build_dir/bin/${target}_fuzz" "${arguments[@]}" "$corpus" "$fuzz_dir/seeds/$target" \
    "${stored[@]}" \
    >"$fuzz_dir/logs/$target.log" 2>&1 || echo "$?" >"$fuzz_dir/logs/$target.failed"
}

# One line of the table: what the log of a target says. Coverage is counted in edges of our own
# code.
report() {
  local target=$1 log=$fuzz_dir/logs/$1.log failed=
  [[ ! -f $fuzz_dir/logs/$target.failed ]] || failed=1
  awk -v target="$target" -v failed="$failed" -v seconds="$seconds" '
    match($0, /cov: [0-9]+/) {
      last = substr($0, RSTART + 5, RLENGTH - 5)
      if (first == "") first = last
    }
    /INITED/ { first = last }
    match($0, /corp: [0-9]+/) { corpus = substr($0, RSTART + 6, RLENGTH - 6) }
    match($0, /^#[0-9]+/) { executions = substr($0, 2, RLENGTH - 1) }
    /number_of_executed_units/ { executions = $2 }
    /peak_rss_mb/ { memory = $2 }
    /^Done [0-9]+ runs in/ && $5 > 0 { seconds = $5 }
    END {
      printf "%-14s %12d %9d %8d %9d %8s %7s   %s\n",
        target, executions, executions / seconds, corpus, last, "+" (last - first), memory,
        failed ? "1: " target ".log" : "0"
    }' "$log"
}

all=(tests/fuzz/*_fuzz.cc)
all=("${all[@]##*/}")
all=("${all[@]%_fuzz.cc}")
for target in "${targets[@]}"; do
  [[ -f tests/fuzz/${target}_fuzz.cc ]] || fail "no target $target; there are ${all[*]}"
done
install_packages build test clang
if ((${#targets[@]} > 0)); then
  build_preset fuzz fuzz_seeds "${targets[@]/%/_fuzz}"
else
  build_preset fuzz fuzzers
  targets=("${all[@]}")
fi
fuzz_dir=$root/build/fuzz

mkdir -p "$fuzz_dir/logs" "$fuzz_dir/findings"
rm -rf "$fuzz_dir/seeds"
rm -f "$fuzz_dir"/logs/*.failed
"$build_dir/bin/fuzz_seeds" "$fuzz_dir/seeds"
step "Fuzzing ${#targets[@]} target(s), $seconds s each, $at_once at a time"
for target in "${targets[@]}"; do
  while (($(jobs -rp | wc -l) >= at_once)); do wait -n || true; done
  note "$target"
  run_target "$target" &
done
wait
rm -rf /dev/shm/antiphon-fuzz-*

printf '\n%-14s %12s %9s %8s %9s %8s %7s   %s\n' \
  target executions exec/s corpus coverage new 'RSS MB' findings
for target in "${targets[@]}"; do report "$target"; done
failures=("$fuzz_dir"/logs/*.failed)
if [[ -e ${failures[0]} ]]; then
  for failure in "${failures[@]}"; do
    printf -- '\n--- %s\n' "${failure%.failed}.log" >&2
    grep -nE -m 40 'ERROR|SUMMARY|runtime error|broken promise|^ *#[0-9]+ |Test unit written' \
      "${failure%.failed}.log" >&2 || true
  done
  fail "${#failures[@]} of ${#targets[@]} targets found something"
fi
