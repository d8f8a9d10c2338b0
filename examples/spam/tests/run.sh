#!/bin/sh
# What must hold before anything is trained. Run by the stage "test", in the project's folder.
set -eu

fail() {
    echo "tests: $1" >&2
    exit 1
}

for class in 0 1; do
    grep -q "\"CLASS\":$class}" smoke.jsonl || fail "smoke.jsonl has no comment of class $class"
done

# A comment that a model may have learnt by heart proves nothing.
sed 's/^{"CONTENT":"//; s/","AUTHOR":.*//' smoke.jsonl | while read -r comment; do
    ! grep -rqF ",$comment," data || fail "this comment of smoke.jsonl is among the data: $comment"
done

for file in data/*.csv; do
    grep -q "^COMMENT_ID,AUTHOR,DATE,CONTENT,CLASS" "$file" || fail "$file has no line of column names"
done
echo "tests: smoke.jsonl and $(ls data | wc -l) files of data are what they must be"
