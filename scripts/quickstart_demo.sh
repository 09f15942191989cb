# shellcheck shell=bash disable=SC2154  # variables of quickstart.sh and lib.sh
# The second half of quickstart.sh, sourced by it: a server over the bundle, and the questions put
# to it. Uses `build_dir`, `state` and `bundle`; sets `address` and `server_pid`.

demo_piece=mozart_sonata_kv545
demo_title="Mozart's sonata KV 545"
query_soundfont=/usr/share/sounds/sf3/MuseScore_General.sf3 # none that the model was trained with
query_tempo=0.85
query_start=10
query_length=12

# Is anything listening on this port of the loopback?
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  local port=$1
  while port_taken "$port"; do port=$((port + 1)); done
  echo "$port"
}

# The process in the pid file, if it still is our server.
running_server() {
  local pid
  pid=$(cat "$state/server.pid" 2>/dev/null) || return 1
  [[ $pid && $(readlink "/proc/$pid/exe" 2>/dev/null) == */antiphon-server* ]] || return 1
  echo "$pid"
}

ask() { "$build_dir/bin/antiphon" --server "$address" "$@"; }

stop_server() {
  local pid=$1
  kill -TERM "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
}

start_server() {
  local stamp waited metrics
  stamp=$(sha256sum "$build_dir/bin/antiphon-server" "$state/bundle.stamp" | sha256sum)
  if server_pid=$(running_server); then
    address=$(cat "$state/server.address")
    if [[ $(cat "$state/server.stamp" 2>/dev/null) == "$stamp" ]] &&
      ask --timeout 10 status >/dev/null 2>&1; then
      note "the server of the last run still serves on $address"
      return 0
    fi
    step "Stopping the server of the last run (process $server_pid):" \
      "its program or bundle is out of date"
    stop_server "$server_pid"
  fi

  address=127.0.0.1:$(free_port 50051)
  metrics=127.0.0.1:$(free_port 9464)
  step "Starting antiphon-server on $address"
  nohup setsid "$build_dir/bin/antiphon-server" --bundle "$bundle" --listen "$address" \
    --metrics-listen "$metrics" >"$state/server.log" 2>&1 </dev/null &
  server_pid=$!
  echo "$server_pid" >"$state/server.pid"
  echo "$address" >"$state/server.address"
  for ((waited = 0; waited < 240; ++waited)); do
    if ask --timeout 5 status >/dev/null 2>&1; then
      echo "$stamp" >"$state/server.stamp"
      note "ready; metrics on http://$metrics/metrics, log in $state/server.log"
      return 0
    fi
    if ! kill -0 "$server_pid" 2>/dev/null; then
      tail -n 20 "$state/server.log" >&2
      fail "the server did not start; its log is $state/server.log"
    fi
    sleep 0.5
  done
  fail "the server is not ready after two minutes; its log is $state/server.log"
}

# Shows a command as a person would type it, and its answer. Exit status 1, nothing found, is an
# answer too.
show() {
  local status=0
  printf '\n%s$ antiphon %s%s\n' "$bold" "$*" "$plain"
  ask "$@" || status=$?
  ((status <= 1)) ||
    fail "antiphon $1 failed (exit status $status); the server's log is $state/server.log"
}

ask_server() {
  local sound=$state/query.wav score=$state/query.mid
  step "The question: $demo_title from 0:$query_start of its score, at $query_tempo of the tempo" \
    "written, with $(basename "$query_soundfont")"
  "$build_dir/bin/antiphon-trainer" render "$build_dir/songbook/$demo_piece.mid" -o "$sound" \
    --soundfont "$query_soundfont" --tempo-ratio "$query_tempo" --start "$query_start" \
    --length "$query_length"

  echo
  step "Which stretches of scores sound like this?"
  show search "$sound" --top-k 5
  echo
  step "Which piece is it, and where in it?"
  show identify "$sound" --top-k 3
  echo
  step "The other way: seconds 5 to 15 of the same score, as MIDI. Which recordings have it?"
  show snippet "$demo_piece" --start 5 --end 15 -o "$score"
  show search "$score" --top-k 5
}

say_what_next() {
  local trainer=$build_dir/bin/antiphon-trainer
  echo
  step "Your own files"
  cat <<END
   export PATH="$build_dir/bin:\$PATH" ANTIPHON_SERVER=$address
   antiphon identify RECORDING.mp3   # which piece of the songbook, and where in it
   antiphon search EXCERPT.mid       # which recordings have this
   antiphon pieces                   # what there is to be found
   Recordings may be WAV, FLAC, Ogg or MP3.

   A collection of your own, from a folder of scores (and, if you have them, of recordings):
   ${trainer##*/} index --scores SCORES_FOLDER [--recordings AUDIO_FOLDER] \\
     --model $root/models/default --bundle var/mine
   antiphon-server --bundle var/mine --metrics-listen 0 \\
     --listen 127.0.0.1:$(free_port $((${address##*:} + 1)))
END
  step "The server goes on serving on $address. To stop it: kill $server_pid"
}
