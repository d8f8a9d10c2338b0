#!/bin/sh
# Measure Slipway against its peers and the limit of the machine.
#
# usage: tools/bench.sh [WORD]     only the subjects whose name contains WORD (make bench F=WORD)
#
# The peers go into build/bench-venv, at the versions of bench/requirements.txt, by pip; nothing else
# of the machine is touched. See docs/benchmarks.md and bench/bench.py.
set -eu

cd "$(dirname "$0")/.."
venv=build/bench-venv

command -v wrk >/dev/null || {
    echo "bench: wrk is missing: install Debian's package wrk (make bench does)" >&2
    exit 1
}
tools/venv.sh "$venv" bench/requirements.txt
exec "$venv/bin/python" bench/bench.py "$@"
