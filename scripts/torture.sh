#!/usr/bin/env bash
# Tortures the server: it is killed, its disk is filled, its files are damaged, while clients query
# and change the collection. Afterwards everything acknowledged must be there, and answers must
# equal those of a fresh index (tests/torture).
#
# Usage: scripts/torture.sh [--minutes N] [--seed N]
#
# Takes 5 minutes, unless told otherwise. The disk is filled where this may mount one: as root. The
# figures come last; exit status 1 when a promise was broken.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit ;; esac
install_packages build test
build_preset release antiphon-server antiphon-trainer antiphon songbook_midi
make_material
exec "$(material_python)" tests/torture/torture.py "$@"
