#!/usr/bin/env bash
# The whole loop on comments under videos, spam or not, with the product's own words: data, training,
# gate, endpoint, new data, retraining, a worse model turned away, rollback, audit trail.
#
# usage: tools/demo.sh          (make demo builds first)
#
# Everything is kept in demo-data/, made anew each time. The server goes on running; the last lines
# say where it is and how to stop it. The first step that does not do what it must ends the
# demonstration with status 1.
#
# SLIPWAY               the binary (build/release/slipway)
# SLIPWAY_DEMO_FOLDER   instead of demo-data/
# SLIPWAY_DEMO_PORT     the first port to try (5000); 0: any free one
# SLIPWAY_DEMO_BUDGET   seconds that each training may take (20)
# SLIPWAY_DEMO_URL, SLIPWAY_DATA   see tools/demo_data.sh
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
slipway=${SLIPWAY:-$root/build/release/slipway}
folder=${SLIPWAY_DEMO_FOLDER:-$root/demo-data}
first_port=${SLIPWAY_DEMO_PORT:-5000}
budget=${SLIPWAY_DEMO_BUDGET:-20}
ports_max=20
step=0
began=$SECONDS
pid= bold= plain=
[ ! -t 1 ] || { bold=$(printf '\033[1m') && plain=$(printf '\033[0m'); }
export SLIPWAY="$slipway" # for demo_data.sh
unset SLIPWAY_SERVER SLIPWAY_TOKEN

# The server goes first: what reads this output may have gone already.
stop_with() { # SENTENCE
    local running=$pid

    trap - EXIT
    pid=
    [ -z "$running" ] || stop_server "$running"
    printf '\nThe demonstration stops here: %s.\n' "$1" >&2
    exit 1
}

say() { # SENTENCE
    step=$((step + 1))
    printf "\n$bold%d. %s$plain\n" "$step" "$1"
}

# One line per command as a user would type it, then what it prints; kept in "last" to be checked.
run() {
    local word

    printf '$ slipway'
    for word in "$@"; do
        case $word in
        *' '*) printf ' "%s"' "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    echo
    "$slipway" "$@" | tee "$folder/last"
}

must_show() { # PATTERN: in what was printed last
    grep -Eq -- "$1" "$folder/last" || stop_with "the answer does not have \"$1\""
}

is_our_server() { # PID
    [ -r "/proc/$1/cmdline" ] && tr '\0' '\n' <"/proc/$1/cmdline" | grep -Fxq -- "$folder/slipway-data"
}

stop_server() { # PID
    kill "$1" 2>/dev/null || return 0
    for _ in $(seq 100); do
        is_our_server "$1" || return 0
        sleep 0.1
    done
    stop_with "the server with process id $1 does not end"
}

# Only a folder that an earlier demonstration made is removed.
make_folder() {
    local old

    if [ -e "$folder" ]; then
        [ -f "$folder/.slipway-demo" ] || stop_with "$folder exists and is not from a demonstration"
        old=$(cat "$folder/server.pid" 2>/dev/null || true)
        if [ -n "$old" ] && is_our_server "$old"; then
            echo "Stopping the server of the last demonstration (process id $old)."
            stop_server "$old"
        fi
        rm -rf "$folder"
    fi
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    : >"$folder/.slipway-demo"
    export SLIPWAY_FOLDER="$folder/slipway-data"
}

start_at() { # PORT: false when the port is taken
    setsid "$slipway" server --port "$1" --data "$SLIPWAY_FOLDER" --quiet \
        >"$folder/server.log" 2>&1 </dev/null &
    pid=$!
    for _ in $(seq 300); do
        url=$(sed -n 's/^slipway is at \(http[^,]*\),.*/\1/p' "$folder/server.log")
        [ -z "$url" ] || return 0
        kill -0 "$pid" 2>/dev/null || { pid= && return 1; }
        sleep 0.1
    done
    stop_with "the server does not start; see $folder/server.log"
}

start_server() {
    local port

    for port in $(seq "$first_port" $((first_port + ports_max))); do
        start_at "$port" || { grep -qi 'in use' "$folder/server.log" && continue; }
        [ -n "$pid" ] || stop_with "the server does not start: $(cat "$folder/server.log")"
        echo "$pid" >"$folder/server.pid"
        cat "$folder/server.log"
        return 0
    done
    stop_with "no port from $first_port to $port is free"
}

ask() { # PATH BODY
    printf "$ curl %s -d '%s'\n" "$url$1" "$2"
    curl --fail-with-body --silent --show-error --max-time 20 -H 'Content-Type: application/json' \
        -d "$2" "$url$1" | tee "$folder/last"
    echo
}

write_project() {
    cat >slipway.yaml <<'YAML'
project: spam
data:
  comments:
    source: data/
    target: CLASS
    columns: {CONTENT: text, COMMENT_ID: ignore, AUTHOR: ignore, DATE: ignore}
    holdout: {share: 0.2, by: stratified, seed: 42}
release:
  endpoint: spam
  gate: {metric: f1, margin: 0.01, minimum: 0.85}
YAML
    cat slipway.yaml
}

# The last file, twice, with spam called ham and ham called spam.
write_wrong_labels() {
    local part

    for part in 1 2; do
        sed -E 's/,0(\r?)$/,spam\1/; s/,1(\r?)$/,0\1/; s/,spam(\r?)$/,1\1/' "$1" >"data/wrong-$part.csv"
    done
}

make_folder
trap 'stop_with "the last command failed"' EXIT

say "Start the server."
start_server

say "A project is a folder with a slipway.yaml; its data are three files of comments."
mkdir -p "$folder/project/data"
"$root/tools/demo_data.sh" "$folder/comments"
cd "$folder/project"
sources=("$folder"/comments/*.csv)
cp "${sources[@]:0:3}" data/
write_project

say "Register the data: a version that never changes."
run data add comments
must_show '1,?138 rows'
run data profile comments
must_show CONTENT

say "Train: candidates are compared by cross-validation, the best is judged on rows it never saw."
run train --budget "$budget"
must_show 'spam[@/]1'

say "Promote version 1. Nothing serves yet: it must reach the minimum and beat the commonest answer."
run promote spam --version 1 --comment "the first model"
must_show 'gate: accepted'

say "Ask the endpoint. Its URL never changes; an answer names the version and how sure it is."
ask /endpoints/spam/predict '{"data":["Subscribe to my channel please, link below","I love this song"]}'
must_show '"confidence"'
run explain spam "Subscribe to my channel please, link below"
must_show 'Subscribe|channel'

say "New comments arrive: version 2 of the data. The hold-out stays as it is. Train again."
cp "${sources[3]}" data/
run data add comments
must_show '1,?586 rows'
run train --budget "$budget"
must_show 'spam[@/]2'

say "The gate judges version 2 against the one that serves, on the same rows."
run promote spam --version 2 --comment "with the newest comments"
must_show 'gate: accepted'
must_show 'champion +spam version 1'
must_show 'finding +(better|not worse)'

say "Somebody adds files whose labels are the wrong way round. The gate turns that model away."
write_wrong_labels "${sources[4]}"
run data add comments
run train --budget "$budget"
if run promote spam --version 3; then
    stop_with "a worse model was promoted"
fi
must_show 'gate: rejected'
run endpoint show spam
must_show 'spam@2'

say "Roll back to version 1, in one step."
run rollback spam --comment "to show it"
run predict spam "Subscribe to my channel please, link below"

say "Who did what: every change is in the audit trail, and nobody can have changed the trail."
run audit log
must_show rollback
run audit verify
must_show 'is whole'

trap - EXIT
cat <<END

Done in $((SECONDS - began)) seconds. The server goes on running:
  $url         its API is described at $url/docs
  try           curl $url/endpoints/spam/predict -d '{"data":["your comment"]}'
  the project   $folder/project
  stop it       kill $pid
END
