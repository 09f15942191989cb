#!/usr/bin/env bash
# Checks and measures Antiphon on a machine with an NVIDIA GPU, in under eight minutes.
#
# Usage: scripts/gpu_check.sh --programs DIR --data DIR --out DIR [--stages NAME,NAME] [--seconds N]
#
# --programs holds a build with -DANTIPHON_CUDA=ON (build/cuda/bin); nothing is built here. --data
# holds scores (midi/), sounds of them (sounds/queries.tsv, see tests/gpu/gpu_pipeline_check.cc) and
# a feature store of antiphon-trainer prepare (store/). Results are OUT/results.json,
# OUT/results.txt and OUT/log.txt. A stage that fails or takes too long does not stop the others;
# --stages repeats some of them. Without a GPU, --device cpu tries the script itself.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0" && exit ;; esac
exec python3 "$(dirname "${BASH_SOURCE[0]}")/../tests/gpu/gpu_check.py" "$@"
