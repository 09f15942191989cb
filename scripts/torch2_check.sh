#!/usr/bin/env bash
# Compiles what uses LibTorch against the headers of PyTorch 2.11; links and runs nothing. Debian's
# LibTorch, which everything else is built with, is 1.13.
#
# Usage: scripts/torch2_check.sh [LIBTORCH]
#
# LIBTORCH is the folder `torch` of an installed or unpacked PyTorch; without it pip fetches the
# wheel (half a gigabyte, without what it depends on) into build/torch2. Exit status 77 where it
# can't be had.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit ;; esac
folder=$root/build/torch2
torch=${1:-$folder/site/torch}
if [[ ! -e $torch/include/torch/csrc/api/include/torch/torch.h ]]; then
  [[ $# -eq 0 ]] || fail "no torch.h below $torch/include"
  step "Fetching PyTorch 2.11 from PyPI"
  mkdir -p "$folder"
  if ! python3 -m pip --version >/dev/null 2>&1 ||
    ! (logged "$folder/pip.log" python3 -m pip download --no-deps --only-binary=:all: \
      --python-version 3.11 --implementation cp --platform manylinux_2_28_x86_64 \
      -d "$folder" torch==2.11.0) 2>/dev/null; then
    note "SKIPPED: pip does not get it here ($folder/pip.log)"
    exit 77
  fi
  python3 -m zipfile -e "$folder"/torch-2.11.0*.whl "$folder/site"
  rm -- "$folder"/torch-2.11.0*.whl
fi
install_packages build
step "Compiling against $torch"
logged "$folder/configure.log" cmake --preset release -B "$folder/build" -DANTIPHON_TESTS=OFF \
  -DTorch_DIR="$torch/share/cmake/Torch"
logged "$folder/build.log" cmake --build "$folder/build" -j "$(jobs_at_once)" \
  --target antiphon_encoder antiphon_trainer_learning
note "core/encoder and trainer/learning compile"
