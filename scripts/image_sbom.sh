#!/usr/bin/env bash
# Writes what is in a container image as SPDX 2.3, to standard output.
#
# Usage: scripts/image_sbom.sh [IMAGE]        antiphon by default
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0" && exit ;; esac
image=${1:-antiphon}
version=$(docker image inspect \
  --format '{{index .Config.Labels "org.opencontainers.image.version"}}' "$image")
# shellcheck disable=SC2016  # dpkg-query's own variables
python3 scripts/make_sbom.py --version "$version" --packages <(docker run --rm --network none \
  --entrypoint dpkg-query "$image" \
  -W -f '${Package}\t${Version}\t${Architecture}\t${source:Package}\n')
