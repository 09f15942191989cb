# shellcheck shell=bash
# What the scripts share; sourced, not run. Sets `root` (the checkout) and changes into it.
#
# Environment:
#   ANTIPHON_SKIP_PACKAGES=1  install nothing (another distribution, or packages from elsewhere)
#   ANTIPHON_JOBS=N           compile N files at once, instead of as many as cores and memory allow
#   ANTIPHON_BUILD_DIR=DIR    use the programs built there, and build nothing

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then
  terminal=1 bold=$'\e[1m' plain=$'\e[0m'
else
  terminal='' bold='' plain=''
fi

# A step that begins. Its details come below, indented.
step() { printf '%s== %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '   %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

minutes() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# How far a log has come, as "PERCENT LABEL": from ninja's "[3/70]" or the trainer's
# "Scores: 8 of 56 (14 %)", whose LABEL is "Scores". Empty when there is neither.
progress_of() {
  tail -c 4000 "$1" 2>/dev/null | tr '\r' '\n' | awk '
    match($0, /^\[[0-9]+\/[0-9]+\]/) {
      split(substr($0, 2, RLENGTH - 2), n, "/")
      if (n[2] > 0) p = int(100 * n[1] / n[2])
    }
    match($0, /\([0-9]+ %\)/) { p = substr($0, RSTART + 1, RLENGTH - 4) + 0; label = $1 }
    END { if (p != "") print p, label }'
}

# Shows how far LOG has come until killed: a bar in a terminal, a line every 20 seconds elsewhere.
watch_log() {
  local log=$1 start=$SECONDS last=$SECONDS percent label filled bar
  while sleep 1; do
    [[ $terminal ]] || ((SECONDS - last >= 20)) || continue
    last=$SECONDS
    read -r percent label <<<"$(progress_of "$log")"
    if [[ $terminal ]]; then
      filled=$((${percent:-0} * 30 / 100))
      printf -v bar '%*s' "$filled" ''
      printf '\r\e[K   [%-30s] %3s %%  %s  %s' "${bar// /#}" "${percent:-0}" \
        "$(minutes $((SECONDS - start)))" "${label%:}"
    else
      note "${label:+$label }${percent:+$percent %, }$(minutes $((SECONDS - start))) so far"
    fi
  done
}

watcher=
stop_watching() {
  if [[ $watcher ]]; then
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    watcher=
    [[ ! $terminal ]] || printf '\r\e[K'
  fi
}
trap stop_watching EXIT

# logged LOG COMMAND...: runs COMMAND with its output in LOG, showing progress. When it fails, ends
# the script with the last lines of LOG. The command runs in the foreground, so that an interrupt
# reaches it.
logged() {
  local log=$1 status=0
  shift
  mkdir -p "$(dirname "$log")"
  : >"$log"
  watch_log "$log" &
  watcher=$!
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  stop_watching
  if ((status != 0)); then
    printf '%s\n' "--- the last lines of $log" >&2
    tail -n 40 "$log" >&2
    fail "failed (exit status $status): $1 ${2:-} ...; all its output is in $log"
  fi
}

# Names of the packages of the given groups of packages.txt.
packages_of() {
  awk -v groups=" $* " '!/^#/ && NF == 2 && index(groups, " " $1 " ") { print $2 }' \
    "$root/scripts/packages.txt"
}

# install_packages GROUP...: installs those of the groups' packages that are missing; asks apt for
# nothing when none is.
install_packages() {
  local missing=() package as_root=()
  [[ ${ANTIPHON_SKIP_PACKAGES:-} != 1 ]] || return 0
  command -v dpkg-query >/dev/null || fail "this is not Debian. Install what scripts/packages.txt
lists in your system's way, and run this again with ANTIPHON_SKIP_PACKAGES=1"
  while read -r package; do
    # Once for each architecture that has it; anything else, such as "config-files" or nothing,
    # means missing.
    if [[ ! $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) =~ ^(installed)+$ ]]
    then
      missing+=("$package")
    fi
  done < <(packages_of "$@")
  if ((${#missing[@]} == 0)); then
    return 0
  fi
  step "Installing ${#missing[@]} Debian package(s)"
  note "${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "not root, and there is no sudo. As root:
apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    sudo -v || fail "sudo refused. As root:
apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q)
  logged build/logs/apt-update.log "${as_root[@]}" update
  logged build/logs/apt-install.log "${as_root[@]}" install -y --no-install-recommends \
    "${missing[@]}"
}

# Compilations at once: as many as there are cores, and one for each 2 GB of free memory (LibTorch's
# headers).
jobs_at_once() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 2000000) }' /proc/meminfo)
  ((memory >= 1)) || memory=1
  echo "${ANTIPHON_JOBS:-$((cores < memory ? cores : memory))}"
}

# llvm_tool NAME: the command of LLVM 14's NAME. Another version formats and warns differently.
llvm_tool() {
  local command version
  command=$(command -v "$1-14" || command -v "$1") || fail "no $1-14 (Debian package $1-14)"
  version=$("$command" --version 2>&1 | grep -oE 'version [0-9]+' | head -n 1)
  [[ $version == "version 14" ]] || fail "$command is ${version:-of an unknown version}. \
Version 14 is needed, on which all results are based (Debian package $1-14)"
  echo "$command"
}

# configure_preset PRESET: configures build/PRESET where that is missing or out of date, and sets
# `build_dir` to that folder. CMAKE_FLAGS may hold further arguments.
configure_preset() {
  local preset=$1 cache
  build_dir=$root/build/$preset
  cache=$build_dir/CMakeCache.txt
  if [[ ! -f $build_dir/build.ninja || CMakePresets.json -nt $cache || ${CMAKE_FLAGS:-} ]]; then
    step "Configuring build/$preset"
    # shellcheck disable=SC2086  # several arguments in one variable
    logged "build/logs/configure-$preset.log" cmake --preset "$preset" ${CMAKE_FLAGS:-}
    touch "$cache"
  fi
}

# build_preset PRESET [TARGET...]: configures and builds into build/PRESET, and sets `build_dir` to
# that folder.
build_preset() {
  local preset=$1 arguments=()
  shift
  if [[ ${ANTIPHON_BUILD_DIR:-} ]]; then
    build_dir=$(cd "$ANTIPHON_BUILD_DIR" && pwd)
    note "using the programs in $build_dir"
    return 0
  fi
  configure_preset "$preset"
  (($# == 0)) || arguments=(--target "$@")
  step "Building into build/$preset, $(jobs_at_once) file(s) at a time"
  logged "build/logs/build-$preset.log" cmake --build "build/$preset" -j "$(jobs_at_once)" \
    "${arguments[@]}"
  note "$(tail -n 1 "build/logs/build-$preset.log")"
}

# material_python: an interpreter that has gRPC: Debian's own before whatever else is called
# python3.
material_python() {
  local candidate
  for candidate in /usr/bin/python3 python3; do
    if "$candidate" -c 'import grpc, google.protobuf' 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  fail "no python3 with gRPC (packages python3-grpcio, python3-protobuf)"
}

# make_material: makes the recordings, queries and bundle that the tests of the built programs work
# on, when they are out of date, and sets the environment that these tests read. After build_preset.
make_material() {
  export ANTIPHON_SOURCE_DIR=$root ANTIPHON_BUILD_DIR=$build_dir PYTHONDONTWRITEBYTECODE=1
  step "Recordings, queries and a bundle to test with"
  logged "$root/build/logs/material.log" "$(material_python)" tests/integration/make_material.py \
    --model models/default
}

# stage NAME COMMAND...: runs COMMAND, which must not be a function, and keeps its time and result
# for `print_stages`. The exit status is the command's; 77 counts as skipped.
stages=()
stage() {
  local name=$1 start=$SECONDS status=0 result=passed
  shift
  printf '\n%s#### %s%s\n' "$bold" "$name" "$plain"
  "$@" || status=$?
  case $status in 0) ;; 77) result=skipped ;; *) result=FAILED ;; esac
  stages+=("$(printf '%-12s %-8s %6d s' "$name" "$result" $((SECONDS - start)))")
  return "$status"
}

print_stages() {
  ((${#stages[@]} == 0)) || printf '%s\n' '' "${stages[@]}"
  printf '%-12s %-8s %6d s\n' total '' "$SECONDS"
}
