#!/bin/sh
# Record, rank, replay and optimize a copy of examples/warehouse; the checkout stays as it is.
# Usage: demo.sh FOLDER_OF_PYTHON_AND_PERFTRACE
set -eu

bin=$(cd "$1" && pwd)
PATH=$bin:$PATH
export PATH
# The demo shows what a user of a terminal sees, not what CI would do.
unset CI PERFTRACE_DATABASE VIRTUAL_ENV PYTHONDONTWRITEBYTECODE || true

here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/perftrace-demo.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cp -R "$here/examples/warehouse" "$scratch/warehouse"
cd "$scratch/warehouse"
rm -rf .perftrace
XDG_DATA_HOME=$scratch/data  # its changes are not for your own programs
export XDG_DATA_HOME

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show python generate.py data
show perftrace run --overhead 10% --value-size 64KB -m warehouse data -o report.txt
show perftrace top
show perftrace replay --write
show perftrace replay
show perftrace optimize --top 10
show perftrace apply --check
