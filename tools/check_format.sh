#!/usr/bin/env bash
# Every C file is as clang-format writes it. Only the version the tree was formatted with can tell.
set -euo pipefail
readonly VERSION=14

program=clang-format
command -v "clang-format-$VERSION" >/dev/null && program=clang-format-$VERSION
found=$("$program" --version | sed -E 's/.*version ([0-9]+).*/\1/')
if [ "$found" != "$VERSION" ]; then
    echo "SKIPPED: clang-format $VERSION decides, this machine has $found"
    exit 0
fi
mapfile -t files < <(git ls-files -co --exclude-standard -- '*.c' '*.h')
"$program" --dry-run -Werror --ferror-limit=3 "${files[@]}"
echo "${#files[@]} files"
