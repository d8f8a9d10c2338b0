#!/bin/sh
# Install the packages of a list, by pip, into a folder of their own.
#
# usage: tools/venv.sh FOLDER REQUIREMENTS [PYTHON PIP]
#
# Nothing is done when FOLDER was made from the same list before, and nothing else of the machine is
# touched. Two that want the same folder take turns. With PYTHON the folder is for that one instead
# of this machine's, sees its packages, and PIP is what installs: a pip that runs from where it lies.
set -eu

venv=$1
requirements=$2
stamp=$venv/requirements.installed

mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9
cmp -s "$requirements" "$stamp" && exit 0
echo "venv: installing $requirements into $venv" >&2
if [ "$#" -gt 2 ]; then
    "$3" -m venv --system-site-packages --without-pip "$venv"
    pip="$venv/bin/python3 $4"
else
    [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
    pip=$venv/bin/pip
fi
$pip install --quiet --disable-pip-version-check --retries 2 --timeout 30 -r "$requirements"
cp "$requirements" "$stamp"
