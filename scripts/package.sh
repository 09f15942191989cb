#!/usr/bin/env bash
# Makes the Debian package.
#
# Usage: scripts/package.sh [OUTPUT_DIR]
#
# Writes antiphon_VERSION_ARCHITECTURE.deb into OUTPUT_DIR, build/package by default. With
# ANTIPHON_BUILD_DIR the programs that were built there are used, and nothing is compiled; they must
# be of this version.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;; esac
output=$(realpath -m "${1:-build/package}")

install_packages build
if [[ ${ANTIPHON_BUILD_DIR:-} ]]; then
  programs=$(cd "$ANTIPHON_BUILD_DIR" && pwd)/bin
else
  build_preset programs
  programs=$build_dir/bin
fi

# A build folder of its own, which is configured and never built in.
work=$root/build/packaging
step "Writing manual pages and completions"
rm -rf "$work/pages"
mkdir -p "$work/bin"
for name in antiphon antiphon-server antiphon-trainer; do
  cp -f "$programs/$name" "$work/bin/$name"
done
/usr/bin/python3 scripts/generate_pages.py --bin "$work/bin" --man "$work/pages/man" \
  --completions "$work/pages/completions"
step "Making the package"
logged build/logs/configure-packaging.log cmake --preset programs -B "$work" -DANTIPHON_PACKAGE=ON
mkdir -p "$output"
rm -f "$output"/antiphon_*.deb
logged build/logs/package.log cpack --config "$work/CPackConfig.cmake" -B "$output"
rm -rf "$output/_CPack_Packages"
note "$(ls "$output"/antiphon_*.deb)"
