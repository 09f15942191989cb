#!/usr/bin/env bash
# Soaks the server (tests/load/soak.py): queries at four fifths of its capacity, and beside them
# edits, merges, reloads, snapshots, idle connections, requests that never end, strangers.
#
# Usage: scripts/soak.sh [--minutes N] [--plot FILE.svg] [--samples FILE.json]
#
# Takes an hour, unless told otherwise. The figures come last; exit status 1 when memory,
# descriptors or threads grow, or a call fails that should not.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit ;; esac
install_packages build test
build_preset release antiphon-server antiphon-trainer antiphon songbook_midi
make_material
exec "$(material_python)" tests/load/soak.py "$@"
