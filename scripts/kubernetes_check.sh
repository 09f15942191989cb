#!/usr/bin/env bash
# Holds deploy/kubernetes against the schemas of Kubernetes, the newest and some older ones, with
# PyPI's kubernetes-validate. The ServiceMonitor is no part of Kubernetes and is left out.
#
# Usage: scripts/kubernetes_check.sh
#
# Exit status 77 where kubernetes-validate cannot be installed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit ;; esac
python=$root/build/kubernetes/bin/python
if ! python3 -m venv "$root/build/kubernetes" ||
  ! "$python" -m pip install --quiet kubernetes-validate==1.37.0; then
  note "skipped: kubernetes-validate cannot be installed"
  exit 77
fi
mapfile -t files < <(grep -L 'kind: \(Kustomization\|ServiceMonitor\)' deploy/kubernetes/*.yaml)
for version in 1.37 1.31 1.28; do
  step "Kubernetes $version"
  "$python" -m kubernetes_validate --kubernetes-version "$version" --strict --quiet "${files[@]}"
done
