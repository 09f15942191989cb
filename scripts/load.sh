#!/usr/bin/env bash
# Loads the server with twice the calls that it can answer (tests/load), and with reloads under
# calls.
#
# Usage: scripts/load.sh [--minutes N] [--connections N] [--reloads N]
#
# 3 minutes, 200 connections and 500 reloads, unless told otherwise. The figures come last; exit
# status 1 when the answered wait without bound, the others are not refused at once, memory grows or
# a call fails.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit ;; esac
install_packages build test
build_preset release antiphon-server antiphon-trainer antiphon songbook_midi
make_material
exec "$(material_python)" tests/load/load.py "$@"
