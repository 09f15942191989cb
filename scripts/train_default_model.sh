#!/usr/bin/env bash
# Trains a model as the shipped one was trained (models/default/README.md), from MIDI files to
# fitted confidence. Goes on where it stopped.
#
# Usage: scripts/train_default_model.sh CORPORA CACHE
#
# CORPORA holds the folders msmd, piano-midi.de and nottingham. CACHE takes 2 GB: renditions, the
# stages' runs and, in the end, the model in CACHE/model. About three hours on two cores.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;; esac
corpora=$(realpath -e -- "${1:?the folder of the corpora; see --help}")
mkdir -p -- "${2:?a folder for renditions and runs; see --help}"
cache=$(realpath -e -- "$2")
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_packages build test train
build_preset release antiphon-trainer
trainer=$build_dir/bin/antiphon-trainer
soundfonts=()
for name in FluidR3_GM TimGM6mb sf_GMbank; do
  soundfonts+=(--soundfont "/usr/share/sounds/sf2/$name.sf2")
done

step "Renditions"
"$trainer" prepare --scores "$corpora/msmd" --split "$corpora/msmd/splits/all.tsv" --variations 4 \
  --store "$cache/msmd" "${soundfonts[@]}"
"$trainer" prepare --scores "$corpora/piano-midi.de" --split "$corpora/piano-midi.de/split.tsv" \
  --variations 3 --store "$cache/piano-midi" "${soundfonts[@]}"
"$trainer" prepare --scores "$corpora/nottingham" --variations 1 --store "$cache/nottingham" \
  "${soundfonts[@]}"

# train RUN [OPTION...]: a stage, in CACHE/RUN.
train() {
  local run=$1
  shift
  step "Training, stage $run"
  "$trainer" train --store "$cache/msmd" --store "$cache/piano-midi" --store "$cache/nottingham" \
    --exclude models/default/excluded_pieces.txt --batch 384 --export-last --out "$cache/$run" "$@"
}
# Which music: any tempo, any room, any pianist, windows anywhere.
train places --steps 4400 --learning-rate 3e-3 --noise 0.4 --mask 0.2
train repeats --from "$cache/places" --steps 500 --warmup 0 --learning-rate 8e-4 --noise 0.2 \
  --mask 0.1 --cut 0.1 --exact 0.85 --on-onset 0.85 --repeats 0.7
# Where in a frame: at first without performances whose tempo gives and takes, in which this cannot
# be heard.
train fractions --from "$cache/repeats" --steps 450 --warmup 50 --learning-rate 2e-3 --noise 0.1 \
  --mask 0.05 --cut 0 --exact 1 --on-onset 1 --repeats 0.7 --near-misses 1 --strict-tempo
pairs=(--noise 0.3 --exact 0.75 --on-onset 0.75 --repeats 0.5 --near-misses 0.7)
all=("${pairs[@]}" --mask 0.1 --cut 0.1)
train renditions --from "$cache/fractions" --steps 1200 --warmup 30 --learning-rate 1.2e-3 \
  "${all[@]}"
# The mean of two stages' weights: what the earlier forgives, and most of what the later hears. At
# this rate nothing but batch norm's statistics changes.
settle=(--steps 40 --warmup 0 --learning-rate 1e-7)
train mean --from "$cache/renditions" --mix "$cache/repeats" "${settle[@]}" "${all[@]}"
# The same function in a wider network whose stem keeps every frame, which learns on.
fine=("${pairs[@]}" --mask 0.15 --cut 0.15 --architecture residual_fine)
train fine --from "$cache/mean" --steps 3000 --warmup 50 --learning-rate 2e-3 "${fine[@]}"
train model --from "$cache/fine" --mix "$cache/repeats" --mix-share 0.3 "${settle[@]}" "${fine[@]}"

step "What every answer is compared with"
"$trainer" background --model "$cache/model" --scores "$corpora/piano-midi.de" \
  --split "$corpora/piano-midi.de/split.tsv" --scores "$corpora/msmd" \
  --split "$corpora/msmd/splits/all.tsv" --scores "$corpora/nottingham" "${soundfonts[@]}"

step "How sure an answer is"
"$trainer" calibrate --model "$cache/model" --scores "$corpora/piano-midi.de" \
  --split "$corpora/piano-midi.de/split.tsv" --distractors 60 "${soundfonts[@]}"
note "the model is in $cache/model"
