#!/bin/sh
# Make a smoke test of tweets that are held back (prepare.yaml leaves them out): three about disasters, three that are not.
#
# usage: sh pick_smoke.sh train.csv > smoke.jsonl
#
# Tweets with quotes, commas or backslashes are passed over, so that a line is a row, and a text is itself in JSON.
set -eu

[ $# -eq 1 ] || { echo "usage: sh pick_smoke.sh train.csv > smoke.jsonl" >&2 && exit 2; }
tr -d '\r' <"$1" | LC_ALL=C awk -F, '
    function print_row() { printf "{\"text\":\"%s\",\"target\":%s}\n", $4, $5 }
    /["\\\t]/ || NF != 5 || $1 !~ /^[0-9]+$/ || $1 < 10000 || seen[$4]++ { next }
    $5 == 1 && tolower($4) ~ /killed|earthquake|wildfire|suicide/ && real < 3 { real++; print_row() }
    $5 == 0 && tolower($4) ~ /love|lol|my / && tolower($4) !~ /quake|fire|bomb|crash/ && other < 3 { other++; print_row() }'
