#!/usr/bin/env bash
# The life of the Debian package in a container in which systemd runs. Called by
# scripts/package_check.sh.
#
# Usage: package_scenario.sh CONTAINER WORK_DIR PACKAGE LATER_PACKAGE
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

name=$1 work=$2 package=$3 later=$4
inside() { docker exec "$name" "$@"; }
files() { # all but what apt and the log keep of any package
  inside sh -c 'find / -xdev -path /var/lib/dpkg -prune -o -path /var/lib/apt -prune -o \
    -path /var/cache -prune -o -path /var/log -prune -o -path /etc/ld.so.cache -prune -o \
    -path /var/lib/systemd -prune -o -print' | sort
}
hold() { # hold WHAT COMMAND...
  local what=$1
  shift
  if ! "$@" >"$work/held" 2>&1; then
    tail -n 5 "$work/held"
    inside journalctl -u antiphon --no-pager -n 30 || true
    fail "FAILED: $what"
  fi
}
install_there() {
  docker cp "$1" "$name:/root/antiphon.deb" >/dev/null
  logged build/logs/package-install.log inside env DEBIAN_FRONTEND=noninteractive apt-get install \
    -y --no-install-recommends /root/antiphon.deb
  inside rm /root/antiphon.deb
}
wait_until_answered() {
  for _ in {1..600}; do
    ! inside antiphon status >/dev/null 2>&1 || return 0
    sleep 1
  done
  return 1
}
pieces() { inside antiphon pieces --json | grep -o '"id":' | wc -l; }

start=$SECONDS
tell() {
  printf '   %5d s  %s\n' $((SECONDS - start)) "$*"
  start=$SECONDS
}
logged build/logs/package-update.log inside apt-get update
inside apt-get install -y --no-install-recommends adduser >/dev/null 2>&1
files >"$work/files-before"
inside dpkg-query -W >"$work/packages-before"
install_there "$package"
tell "installed; $(($(inside dpkg-query -W | wc -l) - $(wc -l <"$work/packages-before"))) packages"
hold "the server is not ready" wait_until_answered
hold "it is no service of systemd" inside systemctl is-active antiphon
[[ $(pieces) == 0 ]] || fail "a new collection is not empty"
tell "started by itself, with an empty collection"

pid=$(inside systemctl show -P MainPID antiphon)
hold "LimitNOFILE" inside grep -qE '^Max open files +16384 +16384' "/proc/$pid/limits"
hold "user" inside sh -c "[ \"\$(stat -c %U /proc/$pid)\" = antiphon ]"
hold "capabilities" inside grep -qE '^CapEff:\s+0{16}' "/proc/$pid/status"
hold "seccomp" inside grep -qE '^Seccomp:\s+2' "/proc/$pid/status"
note "$(inside systemd-analyze security antiphon --no-pager | tail -n 1)"
hold "systemd-analyze verify" inside systemd-analyze verify --man=no antiphon.service

for piece in beethoven_fuer_elise bach_prelude_c greensleeves; do
  docker cp "data/songbook/$piece.abc" "$name:/var/lib/antiphon/scores/" >/dev/null
done
inside systemctl restart antiphon
hold "the server is not ready again" wait_until_answered
[[ $(pieces) == 3 ]] || fail "there are $(pieces) pieces"
"$ANTIPHON_BUILD_DIR/bin/antiphon-trainer" render data/songbook/beethoven_fuer_elise.abc \
  -o "$work/query.wav" --start 5 --length 12 \
  --soundfont /usr/share/sounds/sf2/TimGM6mb.sf2 >/dev/null
docker cp "$work/query.wav" "$name:/root/query.wav" >/dev/null
hold "the wrong piece" inside sh -c 'antiphon identify /root/query.wav --json \
  | grep -q beethoven_fuer_elise'
inside rm /root/query.wav
tell "three scores put into the folder, restarted, one of them identified"

inside sh -c 'echo "log-format = \"json\"" >>/etc/antiphon/server.toml'
inside antiphon piece delete greensleeves >/dev/null
install_there "$later"
hold "the upgraded server is not ready" wait_until_answered
inside dpkg-query -W antiphon | grep -q later || fail "it was not upgraded"
[[ $(pieces) == 2 ]] || fail "after the upgrade there are $(pieces) pieces"
hold "the configuration was replaced" inside grep -q json /etc/antiphon/server.toml
tell "upgraded: collection, changes and configuration are as they were"

for file in man/man1/antiphon.1.gz man/man1/antiphon-trainer.1.gz man/man8/antiphon-server.8.gz \
  bash-completion/completions/antiphon; do
  dpkg-deb -c "$package" | grep -q " ./usr/share/$file$" || fail "$file is missing"
done
inside systemctl stop antiphon
[[ $(inside systemctl show -P ExecMainStatus antiphon) == 0 ]] || fail "it did not stop with 0"
inside apt-get remove -y antiphon >/dev/null 2>&1
hold "the collection is gone" inside test -e /var/lib/antiphon/bundle/CURRENT
inside apt-get purge -y antiphon >/dev/null 2>&1
inside apt-get autoremove -y --purge >/dev/null 2>&1
files >"$work/files-after"
left=$(comm -13 "$work/files-before" "$work/files-after" | grep -E 'antiphon' || true)
[[ ! $left ]] || fail "left behind: $left"
! inside getent passwd antiphon >/dev/null || fail "the user is left"
note "$(comm -13 "$work/files-before" "$work/files-after" | wc -l) files besides, of certificates"
tell "removed and purged: nothing is left"
