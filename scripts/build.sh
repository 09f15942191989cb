#!/usr/bin/env bash
# Installs the packages that compiling needs and builds.
#
# Usage: scripts/build.sh [PRESET [TARGET...]]
#
# PRESET is one of CMakePresets.json and the folder below build/: release (the default), programs
# (release without the tests, for installing), debug, asan or tsan. CMAKE_FLAGS in the environment
# adds arguments to CMake, e.g. CMAKE_FLAGS=-DANTIPHON_BENCHMARKS=ON.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;; esac
groups=(build)
[[ ${1:-} == programs ]] || groups+=(test)
install_packages "${groups[@]}"
build_preset "${@:-release}"
