# shellcheck shell=bash
# A Docker engine for the checks of deploy/: sourced after lib.sh, not run. Nothing is pulled.

engine=
stop_engine() {
  stop_watching
  if [[ $engine ]]; then
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    engine=
  fi
}

# start_engine DIR: uses the engine that answers, or starts one with all that is its own below DIR,
# until the script ends. Ends the script with 77 where none can be started.
start_engine() {
  local dir=$1
  mkdir -p "$dir" build/logs
  export DOCKER_BUILDKIT=0 # what Debian's engine can by itself
  ! docker info >/dev/null 2>&1 || return 0
  step "Starting a Docker engine"
  export DOCKER_HOST=unix://$dir/docker.sock
  dockerd --storage-driver overlay2 --default-ulimit nofile=20000:20000 --data-root "$dir/data" \
    --exec-root /run/antiphon-docker --pidfile "$dir/docker.pid" --host "$DOCKER_HOST" \
    >build/logs/dockerd.log 2>&1 &
  engine=$!
  trap stop_engine EXIT
  for _ in {1..60}; do
    ! docker info >/dev/null 2>&1 || return 0
    sleep 0.5
  done
  tail -n 5 build/logs/dockerd.log
  note "skipped: no Docker engine can be started here"
  exit 77
}

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# make_debian DIR: the image debian:12-slim, unless it is there: a Debian that debootstrap sets up
# below DIR, with the settings that apt has here. Like the real one it leaves out what people read.
make_debian() {
  local root=$1/debian
  ! has_image debian:12-slim || return 0
  step "A Debian to build on"
  rm -rf "$root"
  logged build/logs/debootstrap.log debootstrap --variant=minbase bookworm "$root"
  rm -f "$root/etc/apt/sources.list"
  cp -a /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt/"
  printf 'path-exclude /usr/share/%s/*\n' doc info locale man >"$root/etc/dpkg/dpkg.cfg.d/slim"
  echo "path-include /usr/share/doc/*/copyright" >>"$root/etc/dpkg/dpkg.cfg.d/slim"
  rm -rf "$root"/usr/share/{doc,info,locale,man}/*
  rm -rf "$root/var/cache/apt/archives" "$root/var/lib/apt/lists"
  mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial"
  tar -C "$root" -c . | docker import - debian:12-slim >/dev/null
  rm -rf "$root"
}
