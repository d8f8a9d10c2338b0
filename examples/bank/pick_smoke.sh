#!/bin/sh
# Make a smoke test of clients that are held back: three who are clear to say yes (they did the last time, in a month with
# few calls), three who are clear to say no.
#
# usage: sh pick_smoke.sh clients.csv others.csv > smoke.jsonl
#
# Both files have the columns of clients.csv, parted by commas, without quotes. Who is also in clients.csv is passed over:
# a model may know him by heart.
set -eu

[ $# -eq 2 ] || { echo "usage: sh pick_smoke.sh clients.csv others.csv > smoke.jsonl" >&2 && exit 2; }
LC_ALL=C awk -F, '
    function print_row(    i) {
        printf "{"
        for (i = 1; i <= NF; i++)
            if (names[i] != "duration")
                printf("%s\"%s\":%s", i == 1 ? "" : ",", names[i], $i ~ /^-?[0-9.]+$/ ? $i : "\"" $i "\"")
        print "}"
    }
    # All but the length of the call, which no model learns from.
    function content(    i, text) {
        for (i = 1; i < NF; i++)
            if (names[i] != "duration")
                text = text "," $i
        return text
    }
    { sub(/\r$/, "") }
    FNR == 1 { for (i = 1; i <= NF; i++) { names[i] = $i; place[$i] = i } next }
    NR == FNR { known[content()] = 1; next }
    known[content()]++ { next }
    $NF == "yes" && $place["poutcome"] == "success" && $place["euribor3m"] < 1 && yes < 3 { yes++; print_row() }
    $NF == "no" && $place["pdays"] == 999 && $place["euribor3m"] > 4.9 && $place["job"] == "blue-collar" && no < 3 { no++; print_row() }
' "$1" "$2"
