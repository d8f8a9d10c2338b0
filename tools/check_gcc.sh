#!/usr/bin/env bash
# The whole tree and its tests build with gcc's warnings as errors, optimised: some need the flow.
set -euo pipefail
make -s --no-print-directory -k -j2 MODE=release build
echo "builds without a warning"
