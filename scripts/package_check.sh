#!/usr/bin/env bash
# Installs the Debian package on a bare Debian whose systemd boots in a container: it is started,
# asked, upgraded with its collection, removed and purged, and leaves nothing.
#
# Usage: scripts/package_check.sh
#
# The engine and the programs are as for scripts/container_check.sh. Exit status 77 where no engine
# can be started, or no systemd boots.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/engine.sh
source "$root/scripts/engine.sh"

case ${1:-} in -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;; esac
install_packages build test containers
build_preset release antiphon antiphon-server antiphon-trainer
work=$root/build/containers
ANTIPHON_BUILD_DIR=$build_dir scripts/package.sh "$work/package"
start_engine "$work"
make_debian "$work"

# The same package, as a later version.
package=("$work"/package/antiphon_*.deb)
rm -rf "$work/later"
dpkg-deb -R "${package[0]}" "$work/later"
sed -i 's/^Version: .*/&+later/' "$work/later/DEBIAN/control"
dpkg-deb -b --root-owner-group -Znone "$work/later" "$work/later.deb" >/dev/null
rm -rf "$work/later"

step "A Debian that boots"
logged build/logs/docker-systemd.log docker build --network host --tag antiphon-systemd \
  --file tests/containers/systemd.Dockerfile tests/containers
name=antiphon-package-check
docker rm -f "$name" >/dev/null 2>&1 || true
remove_container() {
  docker rm -f "$name" >/dev/null 2>&1 || true
  stop_engine
}
trap remove_container EXIT
docker run -d --name "$name" --cap-add SYS_ADMIN --security-opt seccomp=unconfined \
  --cgroupns host -v /sys/fs/cgroup:/sys/fs/cgroup --tmpfs /run --tmpfs /tmp \
  antiphon-systemd >/dev/null
state=
for _ in {1..60}; do
  state=$(docker exec "$name" systemctl is-system-running 2>/dev/null || true)
  [[ $state != running && $state != degraded ]] || break
  sleep 1
done
if [[ $state != running && $state != degraded ]]; then
  note "skipped: systemd does not boot in a container here (${state:-no answer})"
  exit 77
fi

step "Installing, serving, upgrading, removing"
export ANTIPHON_BUILD_DIR=$build_dir
tests/containers/package_scenario.sh "$name" "$work" "${package[0]}" "$work/later.deb"
