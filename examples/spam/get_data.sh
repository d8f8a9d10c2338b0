#!/bin/sh
# Make this project's files of five files of comments: data/ (three), later/ (the fourth, which comes in later) and
# smoke.jsonl (of the fifth: five comments that are clearly spam, five that clearly are not).
#
# usage: sh get_data.sh FOLDER
#
# The files have the columns COMMENT_ID, AUTHOR, DATE, CONTENT, CLASS. Here each gets one more, REMOVED, as an export
# of the platform has it: what a moderator did about the comment, which nobody knows when it is written.
#
# A comment that is also among the other four files is no smoke test: a model may know it by heart. Comments with
# quotes, commas or backslashes are passed over, so that a line is a row, and a text is itself in JSON.
set -eu

[ $# -eq 1 ] || { echo "usage: sh get_data.sh FOLDER" >&2 && exit 2; }
export LC_ALL=C
mkdir -p data later
number=0
for file in "$1"/*.csv; do
    number=$((number + 1))
    case $number in
    [123]) folder=data ;;
    4) folder=later ;;
    *) break ;;
    esac
    tr -d '\r' <"$file" | sed -E 's/,CLASS$/,CLASS,REMOVED/; s/,0$/,0,no/; s/,1$/,1,yes/' >"$folder/comments-$number.csv"
done
[ $number -eq 5 ] || { echo "get_data.sh: \"$1\" has $number files of comments; five are needed" >&2 && exit 1; }

tr -d '\r' <"$file" | sed -E 's/,0$/,0,no/; s/,1$/,1,yes/' | awk -F, '
    function print_row() {
        printf "{\"CONTENT\":\"%s\",\"AUTHOR\":\"%s\",\"REMOVED\":\"%s\",\"CLASS\":%s}\n", $4, $2, $6, $5
    }
    !held_back { seen[$4] = 1; next }
    /["\\\t]/ || NF != 6 || seen[$4]++ { next }
    $5 == 1 && tolower($4) ~ /subscribe|check out|my channel/ && spam < 5 { spam++; print_row() }
    $5 == 0 && tolower($4) ~ /love|best|song/ && fine < 5 { fine++; print_row() }' data/*.csv later/*.csv held_back=1 - >smoke.jsonl
echo "data/, later/ and smoke.jsonl with $(wc -l <smoke.jsonl) comments are made"
