#!/usr/bin/env bash
# Runs clang-tidy (.clang-tidy) and shellcheck over what has changed.
#
# Usage: scripts/lint.sh [--all | FILE...]
#
# Without arguments: the .cc and .sh files that differ from the branch main (from the last commit when on main itself).
# Needs the compilation database of build/release, or of ANTIPHON_BUILD_DIR.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit ;; esac
install_packages lint

build_dir=${ANTIPHON_BUILD_DIR:-$root/build/release}
[[ -f $build_dir/compile_commands.json ]] || fail "no compile_commands.json in $build_dir; run scripts/build.sh first"

if [[ ${1:-} == --all ]]; then
  mapfile -t files < <(git ls-files -- '*.cc' '*.sh' .ci/run)
elif (($# > 0)); then
  files=("$@")
else
  base=$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)
  [[ $base != "$(git rev-parse HEAD)" ]] || base=$(git rev-parse --verify -q HEAD~1 || echo HEAD)
  mapfile -t files < <({
    git diff --name-only --diff-filter=d "$base" -- '*.cc' '*.sh' .ci/run
    git ls-files --others --exclude-standard -- '*.cc' '*.sh'
  } | sort -u)
fi
sources=() scripts=()
for file in "${files[@]}"; do
  case $file in
    *.cc) sources+=("$file") ;;
    *) scripts+=("$file") ;;
  esac
done
step "Linting ${#sources[@]} source(s) and ${#scripts[@]} script(s)"
status=0
((${#scripts[@]} == 0)) || shellcheck -x "${scripts[@]}" || status=1
for file in "${sources[@]}"; do
  note "$file"
  clang-tidy --quiet -p "$build_dir" "$file" 2>/dev/null || status=1
done
exit $status
