#!/bin/sh
# Put five CSV files of comments, spam (CLASS 1) and not (0), into a folder.
#
# usage: tools/demo_data.sh FOLDER
#
# From the first source that has them: a folder of this machine ($SLIPWAY_DATA/youtube-spam or
# ../shared/data/youtube-spam), the public address below, the generator of made-up comments.
# Files are taken only when each has the digest that tools/demo_data.sha256 lists. One line says
# which source it was.
#
# SLIPWAY_DEMO_URL   fetch from this address and look at no folder; "none": generate
# SLIPWAY            the binary (build/release/slipway), for the generator
set -eu

# The YouTube Spam Collection (UCI 380, CC BY 4.0; T. C. Alberto, J. V. Lochter, T. A. Almeida).
repository=ScribbleDribble/Spam-Detector-Text-Classification
commit=565940d8e8be3f555e3e60a5876844d491bd4901
public_url=https://raw.githubusercontent.com/$repository/$commit/data

root=$(cd "$(dirname "$0")/.." && pwd)
digests=$root/tools/demo_data.sha256
slipway=${SLIPWAY:-$root/build/release/slipway}
url=${SLIPWAY_DEMO_URL:-$public_url}

if [ $# -ne 1 ]; then
    echo "usage: tools/demo_data.sh FOLDER" >&2
    exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
names=$(awk '{print $2}' "$digests")

is_whole() { # FOLDER: has all files, each with its digest
    (cd "$1" && sha256sum --check --quiet --strict "$digests") >/dev/null 2>&1
}

copy_from() { # FOLDER
    for name in $names; do
        [ -f "$1/$name" ] || return 1
    done
    if ! is_whole "$1"; then
        echo "The files in $1 are not the ones this demonstration was written for."
        return 1
    fi
    for name in $names; do
        cp "$1/$name" "$folder/$name" || return 1
    done
    echo "Comments: the YouTube Spam Collection, from $1."
}

fetch() {
    incoming=$(mktemp -d "$folder/.incoming.XXXXXX")
    trap 'rm -rf "$incoming"' EXIT
    for name in $names; do
        if ! curl --fail --silent --proto '=https,http' --connect-timeout 4 --max-time 12 \
            --max-filesize 1000000 --output "$incoming/$name" "$url/$name"; then
            echo "Could not fetch $url/$name."
            return 1
        fi
    done
    if ! is_whole "$incoming"; then
        echo "What $url gave does not have the expected digests, so it is not used."
        return 1
    fi
    for name in $names; do
        mv "$incoming/$name" "$folder/$name" || return 1
    done
    echo "Comments: the YouTube Spam Collection, from $url."
}

generate() {
    "$slipway" sample comments "$folder" >/dev/null
    echo "Comments: made up by \"slipway sample comments\", because the real ones are out of reach."
}

if [ -z "${SLIPWAY_DEMO_URL:-}" ]; then
    copy_from "${SLIPWAY_DATA:-$root/../shared/data}/youtube-spam" && exit 0
    copy_from "$root/../shared/data/youtube-spam" && exit 0
fi
if [ "$url" != none ]; then
    fetch && exit 0
fi
generate
