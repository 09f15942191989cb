#!/usr/bin/env bash
# From a fresh clone to an identified recording: installs what is missing, builds, indexes the
# songbook, starts a server on the loopback and asks it. A second run skips what is done.
#
# Usage: scripts/quickstart.sh [--no-demo]
#
# --no-demo sets up only: packages, programs, bundle; no server, no questions. What it makes lies in
# build/release and var/quickstart.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/quickstart_demo.sh
source scripts/quickstart_demo.sh

model=models/default
state=var/quickstart
recordings=$state/recordings
bundle=$state/bundle
recording_soundfont=/usr/share/sounds/sf2/TimGM6mb.sf2
recording_tempo=1.05 # over the tempo written

# Renders these pieces, several at once, each only when its recording is older than its score.
render_recordings() {
  local numbered=() piece
  mkdir -p "$recordings" "$state/part"
  for piece in "$@"; do
    numbered+=("[$((${#numbered[@]} / 2 + 1))/$#]" "$piece")
  done
  export build_dir recordings state recording_soundfont recording_tempo
  # shellcheck disable=SC2016  # expanded by the inner shell
  printf '%s\n' "${numbered[@]}" | xargs -P "$(jobs_at_once)" -n 2 bash -c '
    set -e
    midi=$build_dir/songbook/$2.mid out=$recordings/$2.ogg
    if [[ ! -f $out || $midi -nt $out ]]; then
      "$build_dir/bin/antiphon-trainer" render "$midi" -o "$state/part/$2.ogg" \
        --soundfont "$recording_soundfont" --tempo-ratio "$recording_tempo"
      mv "$state/part/$2.ogg" "$out"
    fi
    echo "$1 $2"' _
}

# What the bundle depends on; it is made again when this changes.
bundle_inputs() {
  echo "$recording_soundfont $recording_tempo"
  sha256sum "$build_dir/bin/antiphon-trainer" "$model"/*.pt \
    "$build_dir"/songbook/{metadata.tsv,*.mid} "$recordings"/*.ogg
}

make_bundle() {
  local pieces=() unplayed=0 piece stamp
  mapfile -t pieces < <(cd "$build_dir/songbook" && ls -- *.mid)
  pieces=("${pieces[@]%.mid}")
  for piece in "${pieces[@]}"; do
    if [[ ! -f $recordings/$piece.ogg ||
      $build_dir/songbook/$piece.mid -nt $recordings/$piece.ogg ]]; then
      unplayed=$((unplayed + 1))
    fi
  done
  if ((unplayed > 0)); then
    step "Playing $unplayed of ${#pieces[@]} songbook pieces into recordings," \
      "with $(basename "$recording_soundfont")"
    logged "$state/render.log" render_recordings "${pieces[@]}"
  fi

  stamp=$(bundle_inputs | sha256sum)
  if [[ -f $bundle/CURRENT && $(cat "$state/bundle.stamp" 2>/dev/null) == "$stamp" ]]; then
    note "the bundle of the songbook is there already: $bundle"
    return 0
  fi
  step "Indexing the songbook: ${#pieces[@]} scores and as many recordings"
  logged "$state/index.log" "$build_dir/bin/antiphon-trainer" index --scores "$build_dir/songbook" \
    --recordings "$recordings" --model "$model" --bundle "$bundle"
  echo "$stamp" >"$state/bundle.stamp"
  note "$(tail -n 1 "$state/index.log")"
}

demo=1
case ${1:-} in
  '') ;;
  --no-demo) demo= ;;
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;;
  *) fail "unknown argument $1; see --help" ;;
esac
[[ -f $model/audio_encoder.pt && -f $model/score_encoder.pt ]] ||
  fail "no encoders in $model: the clone is not complete"

mkdir -p "$state"
install_packages build test
build_preset release antiphon antiphon-server antiphon-trainer songbook_midi
make_bundle
if [[ ! $demo ]]; then
  step "Ready"
  note "the demo: scripts/quickstart.sh; the tests: scripts/test.sh"
  exit
fi
start_server
ask_server
say_what_next
