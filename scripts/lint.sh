#!/usr/bin/env bash
# Runs shellcheck over all scripts, and clang-tidy (.clang-tidy) over the sources that have changed.
#
# Usage: scripts/lint.sh [--all | --since COMMIT | FILE...]
#
# Changed means: since the branch left main, or, on main itself, since the commit before the last
# one, and in files not committed yet. A changed header is linted in one of the sources that include
# it. --all lints every source, which takes about 40 minutes on two cores.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

all='' since='' named=()
while (($# > 0)); do
  case $1 in
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;;
    --all) all=1 ;;
    --since)
      since=$(git rev-parse --verify -q "${2:-}^{commit}") || fail "--since needs a commit"
      shift
      ;;
    -*) fail "unknown argument $1; see --help" ;;
    *) named+=("$1") ;;
  esac
  shift
done

# The commit to compare with. A clone of depth 1 has none; its parent is fetched if that works.
base_commit() {
  local branch base head
  head=$(git rev-parse HEAD)
  for branch in main origin/main; do
    base=$(git merge-base HEAD "$branch" 2>/dev/null) || continue
    [[ $base == "$head" ]] || { echo "$base" && return; }
  done
  # Of a merge, this is the branch that was merged into.
  git rev-parse --verify -q HEAD^1 && return
  [[ $(git rev-parse --is-shallow-repository) == true ]] || return
  git fetch -q --deepen=1 2>/dev/null && git rev-parse --verify -q HEAD^1
}

# A source in which clang-tidy sees the header: its own, its test's, or else the first to include
# it. Prints nothing where there is none.
source_of_header() {
  local header=$1 candidate
  for candidate in "${header%.h}.cc" "${header%.h}_test.cc"; do
    [[ ! -f $candidate ]] || { echo "$candidate" && return; }
  done
  git grep -lF "#include \"$header\"" -- '*.cc' | head -n 1 || true
}

# The files among the arguments, as sources for clang-tidy.
sources_of() {
  local file
  for file in "$@"; do
    case $file in
      *.cc) echo "$file" ;;
      *.h) source_of_header "$file" ;;
    esac
  done | sort -u
}

# tidy SOURCE: prints what clang-tidy says, in one piece. Fails when it found anything, or failed.
# shellcheck disable=SC2317  # called by the shells of xargs
tidy() {
  local output status=0
  output=$("$clang_tidy" --quiet -p "$database" "$1" 2>&1) || status=$?
  # How much it left out, about headers of others.
  output=$(grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated\.$' <<<"$output" || true)
  note "$1"
  [[ ! $output ]] || printf '%s\n' "$output"
  return "$status"
}

install_packages build test clang lint
clang_tidy=$(llvm_tool clang-tidy)
status=0

mapfile -t scripts < <(git ls-files -- '*.sh' .ci/run
  git ls-files --others --exclude-standard -- '*.sh')
step "shellcheck: ${#scripts[@]} scripts"
shellcheck -x "${scripts[@]}" || status=1

if [[ $all ]]; then
  mapfile -t files < <(git ls-files -- '*.cc')
elif ((${#named[@]} > 0)); then
  files=("${named[@]}")
elif since=${since:-$(base_commit)}; then
  mapfile -t files < <(git diff --name-only --diff-filter=d "$since" -- '*.cc' '*.h'
    git ls-files --others --exclude-standard -- '*.cc' '*.h')
else
  note "this clone has no earlier commit to compare with: linting every source"
  mapfile -t files < <(git ls-files -- '*.cc')
fi
mapfile -t sources < <(sources_of "${files[@]}")
for file in "${sources[@]}"; do [[ -f $file ]] || fail "no file $file"; done
[[ ! $since ]] || since=", changed since $(git rev-parse --short "$since")"
step "clang-tidy: ${#sources[@]} source(s)$since"
((${#sources[@]} > 0)) || exit "$status"

# Every source has its compiler flags in the configuration for clang. The flags for the precompiled
# header are taken out: clang-tidy gets slower by it.
configure_preset clang
logged build/logs/lint-headers.log cmake --build "$build_dir" --target antiphon_proto_sources
database=$root/build/lint
mkdir -p "$database"
sed -E -e 's/ -Xclang -include-pch -Xclang \S+ -Xclang -include -Xclang \S+//' \
  -e 's/ && [^,]*touch [^"]*//' \
  "$build_dir/compile_commands.json" >"$database/compile_commands.json"
for file in "${sources[@]}"; do
  grep -qF "\"$root/$file\"" "$database/compile_commands.json" ||
    fail "$file is built by no CMakeLists.txt, or build/clang was configured without it"
done

export clang_tidy database
export -f tidy note
# shellcheck disable=SC2016  # expanded by the inner shell
printf '%s\n' "${sources[@]}" |
  xargs -P "$(jobs_at_once)" -I {} bash -c 'set -euo pipefail; tidy "$1"' _ {} || status=1
exit "$status"
