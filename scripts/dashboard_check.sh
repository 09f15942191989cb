#!/usr/bin/env bash
# Holds deploy/grafana/antiphon.json against Grafana's model of a dashboard (PyPI's
# grafana-foundation-sdk).
#
# Usage: scripts/dashboard_check.sh
#
# Exit status 77 where that package cannot be installed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit ;; esac
python=$root/build/dashboard/bin/python
if ! python3 -m venv "$root/build/dashboard" ||
  ! "$python" -m pip install --quiet 'grafana_foundation_sdk==1769699998!10.1.0'; then
  note "skipped: grafana-foundation-sdk cannot be installed"
  exit 77
fi
"$python" tests/containers/dashboard_schema.py deploy/grafana/antiphon.json
