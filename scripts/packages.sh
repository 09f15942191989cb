#!/usr/bin/env bash
# Installs the Debian packages of the given groups (scripts/packages.txt) that are missing.
#
# Usage: scripts/packages.sh GROUP...          e.g. build test
#        scripts/packages.sh --list GROUP...   only prints their names
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  '' | -h | --help)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    [[ $# -gt 0 ]]
    ;;
  --list)
    shift
    packages_of "$@"
    ;;
  *)
    for group in "$@"; do
      [[ $(packages_of "$group") ]] || fail "no group $group in scripts/packages.txt"
    done
    install_packages "$@"
    ;;
esac
