#!/bin/sh
# Install packages that need PyTorch, by pip, into a folder of their own.
#
# usage: tools/torch.sh FOLDER REQUIREMENTS
#
# PyTorch itself is that of Debian 13 with its Python, whatever Debian this is: pip's has 6 GB of
# a GPU's libraries, and MLflow wants a newer one than Debian 12's. Its packages are taken apart into
# build/torch/root (1 GB), and build/torch/python3 runs them where they lie, with their own C library.
set -eu

torch=$(readlink -m build/torch)
root=$torch/root

mkdir -p "$torch"
exec 8>"$torch/lock"
flock 8
if [ ! -e "$torch/python3" ]; then
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' |
        awk '$2 !~ /-/ {print $1; exit}')
    echo "torch: installing python3-torch into $root" >&2
    rm -rf "$root"
    mmdebstrap --quiet --variant=extract --include=python3-torch,python3-venv trixie "$root" "${mirror:?no Debian mirror is configured}"
    cat >"$torch/new" <<EOF
#!/bin/sh
lib=$root/usr/lib/$(uname -m)-linux-gnu
export PYTHONHOME=$root/usr
exec \$lib/ld-linux-*.so.? --library-path \$lib:\$lib/blas:\$lib/lapack:$root/usr/lib --argv0 "\$0" $root/usr/bin/python3 "\$@"
EOF
    chmod +x "$torch/new"
    mv "$torch/new" "$torch/python3"
fi
flock -u 8
exec tools/venv.sh "$1" "$2" "$torch/python3" "$(echo "$root"/usr/share/python-wheels/pip-*.whl)/pip"
