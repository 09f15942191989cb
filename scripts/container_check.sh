#!/usr/bin/env bash
# Runs deploy/compose.yaml on a Docker engine: from nothing, over restarts and changes, to the end.
#
# Usage: scripts/container_check.sh [--compose-v2] [COMPOSE...]
#
# COMPOSE is a command, such as docker-compose or "docker compose"; by default all that are here.
# With --compose-v2 also Compose v2 as built from its Go module, which takes Go and some minutes.
# Without an engine that answers, one is started, and stopped at the end. Nothing is pulled: the
# image is made on a Debian that debootstrap sets up, with the programs of ANTIPHON_BUILD_DIR or, if
# that is not set, of build/release; prom/prometheus is stood in for by Debian's Prometheus, and
# grafana/grafana is left out, unless these images are here. Exit status 77 where no engine can be
# started.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/engine.sh
source "$root/scripts/engine.sh"

case ${1:-} in -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0" && exit ;; esac
compose_v2=
if [[ ${1:-} == --compose-v2 ]]; then
  compose_v2=1
  shift
fi
install_packages test containers
build_preset release antiphon antiphon-server antiphon-trainer
work=$root/build/containers
start_engine "$work"
make_debian "$work"

# The second stage of the Dockerfile as it is, over the programs that are built.
step "The image"
context=$work/context
rm -rf "$context"
mkdir -p "$context/installed/bin" "$context/installed/share/doc/antiphon" "$context/scripts" \
  "$context/models" "$context/deploy"
install --strip "$build_dir"/bin/{antiphon,antiphon-server,antiphon-trainer} \
  "$context/installed/bin/"
cp LICENSE NOTICE THIRD_PARTY_NOTICES.md "$context/installed/share/doc/antiphon/"
cp scripts/{packages.txt,packages.sh,lib.sh} "$context/scripts/"
cp -r models/default "$context/models/"
cp deploy/{antiphon-serve,image-excludes} "$context/deploy/"
{
  echo "FROM scratch AS build"
  echo "COPY installed /opt/antiphon"
  sed -n '/ AS runtime$/,$p' Dockerfile
} >"$context/Dockerfile"
logged build/logs/docker-build.log docker build --network host --tag antiphon "$context"
note "$(docker image inspect --format '{{.Size}}' antiphon | awk '{ printf "%.0f MB", $1 / 1e6 }')"

prometheus=$(sed -n 's/^ *image: \(prom\/.*\)/\1/p' deploy/compose.yaml)
grafana=$(sed -n 's/^ *image: \(grafana\/.*\)/\1/p' deploy/compose.yaml)
services=(server prometheus)
if ! has_image "$prometheus"; then
  step "A stand-in for $prometheus"
  logged build/logs/docker-prometheus.log docker build --network host --tag "$prometheus" \
    --file tests/containers/prometheus.Dockerfile tests/containers
fi
if has_image "$grafana"; then
  services+=(grafana)
else
  note "left out: Grafana, whose image is not here"
fi

if (($# == 0)); then
  ! docker compose version >/dev/null 2>&1 || set -- "$@" "docker compose"
  ! docker-compose version >/dev/null 2>&1 || set -- "$@" "docker-compose"
fi
if [[ $compose_v2 ]]; then
  go=$(command -v go || echo /usr/local/go/bin/go)
  if [[ ! -x $work/compose-v2/docker-compose ]]; then
    step "Building Docker Compose v2"
    mkdir -p "$work/compose-v2"
    (
      cd "$work/compose-v2"
      rm -f go.mod go.sum
      logged "$root/build/logs/compose-v2.log" "$go" mod init compose-v2
      logged "$root/build/logs/compose-v2.log" "$go" get github.com/docker/compose/v2/cmd@v2.40.3
      logged "$root/build/logs/compose-v2.log" "$go" build -ldflags '-s -w' -o docker-compose \
        github.com/docker/compose/v2/cmd
    )
  fi
  set -- "$@" "$work/compose-v2/docker-compose"
fi
(($# > 0)) || fail "no Docker Compose here"
export ANTIPHON_SOURCE_DIR=$root ANTIPHON_BUILD_DIR=$build_dir PYTHONDONTWRITEBYTECODE=1
for compose in "$@"; do
  step "$compose"
  /usr/bin/python3 tests/containers/scenario.py --work "$work" --compose "$compose" \
    --services "${services[@]}"
done
