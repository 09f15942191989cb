#!/usr/bin/env bash
# Holds the C++ sources against .clang-format.
#
# Usage: scripts/format.sh [--fix]
#
# Names the files that differ and exits with 1; --fix rewrites them instead. Works with clang-format
# 14 only, since versions differ in where they break lines.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fix=
case ${1:-} in
  '') ;;
  --fix) fix=1 ;;
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit ;;
  *) fail "unknown argument $1" ;;
esac
install_packages format
clang_format=$(llvm_tool clang-format)

# Tracked files, and new ones that git doesn't ignore; deleted ones are still listed until the
# deletion is added.
files=()
while IFS= read -r -d '' file; do
  [[ ! -f $file ]] || files+=("$file")
done < <(git ls-files -z --cached --others --exclude-standard -- '*.cc' '*.h')
((${#files[@]} > 0)) || fail "no sources found: is this a git checkout?"

different=()
for file in "${files[@]}"; do
  if ! "$clang_format" --style=file "$file" | cmp -s - "$file"; then
    different+=("$file")
  fi
done
if ((${#different[@]} == 0)); then
  echo "Format: ${#files[@]} files, all as .clang-format has it"
elif [[ $fix ]]; then
  "$clang_format" --style=file -i "${different[@]}"
  printf 'reformatted %s\n' "${different[@]}"
else
  printf 'not as .clang-format has it: %s\n' "${different[@]}" >&2
  fail "${#different[@]} of ${#files[@]} files differ; scripts/format.sh --fix rewrites them"
fi
