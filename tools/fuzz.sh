#!/usr/bin/env bash
# fuzz.sh [WORD]: build the fuzzers (tests/fuzz/fuzz_NAME.c; with WORD only those whose name has it)
# and run each for FUZZ_SECONDS on tests/fuzz/corpus/NAME/. What they learn goes to build/fuzz/corpus/NAME,
# where the next run finds it; an input that breaks something goes to build/fuzz/found/.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-10}
failed=0 passed=0
found=build/fuzz/found
fixed_addresses=()
# clang 14's runtime fails at start under a kernel that spreads addresses widely.
setarch -R true 2>/dev/null && fixed_addresses=(setarch -R)

names=()
for source in tests/fuzz/fuzz_*"${1:-}"*.c; do
    [ -e "$source" ] || { echo "fuzz: no fuzzer's name has \"${1:-}\""; exit 1; }
    name=$(basename "$source" .c)
    names+=("${name#fuzz_}")
done
make -s --no-print-directory -j2 MODE=fuzz "${names[@]/#/build/fuzz/fuzz_}"
mkdir -p "$found"

for name in "${names[@]}"; do
    learnt=build/fuzz/corpus/$name
    mkdir -p "$learnt" "tests/fuzz/corpus/$name"
    if "${fixed_addresses[@]}" "build/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$found/$name-" \
        "$learnt" "tests/fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
        echo "fuzz_$name: fine, $runs inputs in $seconds s"
        passed=$((passed + 1))
    else
        tail -n 40 "build/fuzz/$name.log"
        echo "fuzz_$name: FAILED; the input is in $found/"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
