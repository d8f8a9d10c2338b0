#!/usr/bin/env bash
# Nothing in the tree names a package registry's host or a folder of somebody's own machine:
# packages come by name through their clients, from whatever mirror those are configured for.
set -euo pipefail

hosts='registry[.]npmjs|registry[.]yarnpkg|registry[.]npmmirror|pypi[.]org|pythonhosted[.]org|(deb|ftp|security|snapshot)([.][a-z]+)?[.]debian[.]org|crates[.]io|proxy[.]golang[.]org|cdn[.]jsdelivr|unpkg[.]com|cdnjs[.]'
paths='(^|[^A-Za-z0-9_.~-])/(work|home|root)/'

if git grep --untracked -nIE "$hosts|$paths" -- . ':!tools/check_words.sh'; then
    echo "a registry's host or a path of one machine does not belong in the tree"
    exit 1
fi
echo "no registry hosts, no private paths"
