#!/usr/bin/env bash
# Runs every check there is, also what continuous integration has no time for. Goes on after
# failures; at the end a table has each stage's result and time.
#
# Usage: scripts/full_check.sh [--list] [--only STAGE]... [--skip STAGE]...
#
# --list names the stages. Takes some six hours on two cores. Exit status 1 when a stage failed;
# stages that need Docker are skipped where there is none.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

skipped_status=77

# The stages, in order: a function check_NAME each, whose comment --list prints.

# All tests, as scripts/test.sh runs them
check_test() { scripts/test.sh; }

# The sources as .clang-format has them
check_format() { scripts/format.sh; }

# Over everything: shellcheck and clang-tidy
check_lint() { scripts/lint.sh --all; }

# Every source through clang, warnings as errors
check_clang() { scripts/clang_check.sh; }

# What uses LibTorch, against the headers of PyTorch 2.11
check_pytorch() { scripts/torch2_check.sh; }

# Five minutes of every fuzz target
check_fuzz() { scripts/fuzz.sh --seconds 300 --jobs "$(jobs_at_once)"; }

# The tests under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer
check_sanitizers() { scripts/sanitizers.sh; }

# The server killed and its files damaged under traffic, for five minutes
check_torture() { scripts/torture.sh; }

# Twice the calls that the server can answer, and reloads, for three minutes
check_load() { scripts/load.sh; }

# Four fifths of them for an hour, beside edits, snapshots, idle connections and strangers
check_soak() { scripts/soak.sh; }

# Every benchmark, each case for a tenth of a second
check_benchmarks() {
  local benchmark found=0
  install_packages build test
  step "Building the benchmarks into build/benchmarks"
  logged build/logs/configure-benchmarks.log cmake --preset release -B build/benchmarks \
    -DANTIPHON_BENCHMARKS=ON -DANTIPHON_TESTS=OFF
  logged build/logs/build-benchmarks.log cmake --build build/benchmarks -j "$(jobs_at_once)" \
    --target benchmarks
  while IFS= read -r benchmark; do
    note "$benchmark"
    "$benchmark" --benchmark_min_time=0.1
    found=$((found + 1))
  done < <(find build/benchmarks -type f -name '*_benchmark' -perm -u+x | sort)
  ((found > 0)) || fail "no benchmark was built"
}

# The shipped model on the songbook: snippets and pieces; on chorales and a violin, where they are
check_evaluate() {
  local corpora=${ANTIPHON_CORPORA:-$root/../shared}
  install_packages build test
  build_preset release antiphon-trainer songbook_midi
  local common=(--model models/default --scores "$build_dir/songbook"
    --work "$root/build/evaluation" --no-untrained)
  step "Suite snippets"
  "$build_dir/bin/antiphon-trainer" evaluate --suite snippets --snippets 400 "${common[@]}"
  step "Suite pieces"
  "$build_dir/bin/antiphon-trainer" evaluate --suite pieces "${common[@]}"
  if [[ ! -d $corpora/recordings/bach10 ]]; then
    note "suites ensemble and violin are left out: no recordings in $corpora"
    return
  fi
  common=(--model models/default --work "$root/build/evaluation" --no-untrained)
  step "Suite ensemble"
  "$build_dir/bin/antiphon-trainer" evaluate --suite ensemble "${common[@]}" \
    --scores "$corpora/corpus/chorales" --recordings "$corpora/recordings/bach10"
  step "Suite violin"
  "$build_dir/bin/antiphon-trainer" evaluate --suite violin "${common[@]}" \
    --scores "$corpora/corpus/violin" --recordings "$corpora/recordings/violin"
}

# The readers of scores against other programs, on the corpora
check_oracles() {
  local shared=${ANTIPHON_CORPORA:-$root/../shared} python=$root/build/oracles/bin/python failed=0
  [[ -d $shared/corpus ]] || exit "$skipped_status"
  install_packages build test
  build_preset release score_notes
  python3 -m venv "$root/build/oracles" &&
    "$python" -m pip install --quiet verovio==6.4.1 mido==1.3.3 music21==10.5.1 ||
    exit "$skipped_status"
  mkdir -p build/polish
  tar -xJf "$shared/corpus/polish.tar.xz" -C build/polish
  "$python" tests/oracles/asap_oracle.py asap-xml || failed=1
  "$python" tests/oracles/verovio_oracle.py lieder quartets orchestra --sample 200 || failed=1
  "$python" tests/oracles/verovio_oracle.py build/polish --sample 200 || failed=1
  "$python" tests/oracles/abc_oracle.py data/songbook --share 1 || failed=1
  "$python" tests/oracles/abc_oracle.py --music21 --sample 200 || failed=1
  "$python" tests/oracles/corpus_survey.py lieder quartets orchestra chorales violin asap-xml \
    build/polish || failed=1
  return "$failed"
}

# An installation: programs that start, licences beside them
check_install() {
  local prefix=$root/build/installed program file
  build_preset programs
  rm -rf "$prefix"
  cmake --install build/programs --prefix "$prefix" --strip >/dev/null
  for program in antiphon antiphon-server antiphon-trainer; do
    "$prefix/bin/$program" --version
  done
  for file in LICENSE NOTICE THIRD_PARTY_NOTICES.md; do
    cmp "$file" "$prefix/share/doc/antiphon/$file"
  done
}

# The Compose file, as every Docker Compose here reads it
check_compose() {
  command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 ||
    exit "$skipped_status"
  python3 scripts/tests/packaging_test.py -v Containers
}

# The manifests for Kubernetes against its schemas
check_kubernetes() { scripts/kubernetes_check.sh; }

# The dashboard against Grafana's model of one
check_dashboard() { scripts/dashboard_check.sh; }

# The Compose file on a Docker engine, from nothing, with the programs that are built
check_containers() { scripts/container_check.sh; }

# The Debian package on a bare Debian, installed, upgraded and removed
check_package() { scripts/package_check.sh; }

# The container image built from the sources, and its programs in it
check_image() {
  local program
  command -v docker >/dev/null && docker info >/dev/null 2>&1 || exit "$skipped_status"
  docker build --tag antiphon:full-check .
  for program in antiphon antiphon-server antiphon-trainer; do
    docker run --rm --entrypoint "$program" antiphon:full-check --version
  done
  docker run --rm --entrypoint ls antiphon:full-check /opt/antiphon/share/doc/antiphon/NOTICE
}

mapfile -t names < <(sed -n 's/^check_\([a-z]*\)() {.*/\1/p' "$0")
known() { [[ " ${names[*]} " == *" $1 "* ]] || fail "no stage $1; there are ${names[*]}"; }

only=' ' skip=' '
while (($# > 0)); do
  case $1 in
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;;
    --list)
      for name in "${names[@]}"; do
        printf '%-12s %s\n' "$name" "$(grep -B1 "^check_$name()" "$0" | sed -n '1s/^# //p')"
      done
      exit
      ;;
    --only | --skip)
      known "${2:-}"
      if [[ $1 == --only ]]; then only+="$2 "; else skip+="$2 "; fi
      shift
      ;;
    --run) # one stage, in a process of its own
      "check_$2"
      exit
      ;;
    *) fail "unknown argument $1; see --help" ;;
  esac
  shift
done

failed=0
for name in "${names[@]}"; do
  [[ $only == ' ' || $only == *" $name "* ]] || continue
  [[ $skip != *" $name "* ]] || continue
  stage "$name" "$0" --run "$name" || (($? == skipped_status)) || failed=$((failed + 1))
done
print_stages
((failed == 0)) || fail "$failed stage(s) failed"
