#!/usr/bin/env bash
# Turns the songbook into MIDI files.
#
# Usage: make_midi.sh OUT_DIR
#
# Writes OUT_DIR/<name>.mid for every <name>.abc beside this script, and OUT_DIR/metadata.tsv
# (columns file, title, composer, upbeat), which `antiphon-trainer index` reads: abc2midi writes no
# upbeats, so they come from songbook.tsv. A piece whose MIDI file is newer than its source is
# skipped. Any warning of abc2midi (a bar of the wrong length, voices that
# end at different times) is an error: exit status 1. ABC2MIDI in the environment names the program,
# if it isn't on the PATH.
set -euo pipefail

if [[ $# -ne 1 ]]; then
  echo "usage: $(basename "$0") OUT_DIR" >&2
  exit 2
fi
out=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
abc2midi=${ABC2MIDI:-abc2midi}
if ! command -v "$abc2midi" >/dev/null; then
  echo "make_midi.sh: $abc2midi not found; install the package abcmidi" >&2
  exit 1
fi
mkdir -p "$out"

# The first value of an information field (T, C, ...) of an ABC file.
field() { sed -n "s/^$1:[[:space:]]*//p" "$2" | head -n 1; }

# Quarter notes before the first complete bar of a piece.
upbeat() { awk -F '\t' -v piece="$1" '$1 == piece { print $8 }' "$here/songbook.tsv"; }

metadata=$(mktemp "$out/metadata.XXXXXX")
trap 'rm -f "$metadata"' EXIT
printf 'file\ttitle\tcomposer\tupbeat\n' >"$metadata"
failed=0
written=0
for abc in "$here"/*.abc; do
  name=$(basename "$abc" .abc)
  mid=$out/$name.mid
  printf '%s\t%s\t%s\t%s\n' "$name.mid" "$(field T "$abc")" "$(field C "$abc")" \
    "$(upbeat "$name")" >>"$metadata"
  if [[ $mid -nt $abc ]]; then
    continue
  fi
  # abc2midi's exit status is 0 whatever it found, so its messages decide; a file that it complained
  # about doesn't stay.
  status=0
  messages=$("$abc2midi" "$abc" -o "$mid.tmp" 2>&1) || status=$?
  if [[ $status -ne 0 || ! -s $mid.tmp ]] || grep -qiE 'warning|error' <<<"$messages"; then
    printf 'make_midi.sh: %s.abc:\n%s\n' "$name" "$messages" >&2
    rm -f "$mid.tmp"
    failed=$((failed + 1))
    continue
  fi
  mv "$mid.tmp" "$mid"
  written=$((written + 1))
done
if [[ $failed -ne 0 ]]; then
  echo "make_midi.sh: $failed piece(s) refused" >&2
  exit 1
fi
chmod 644 "$metadata"
mv "$metadata" "$out/metadata.tsv"
echo "songbook: $written piece(s) written, $(($(wc -l <"$out/metadata.tsv") - 1)) in all"
