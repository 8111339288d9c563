#!/bin/sh
# Print the path of a Python 3.12 or newer that can make virtual environments.
# Every candidate is run: pyenv's shims, for one, are on PATH also where they lead nowhere.
set -u

check='
import sys, ensurepip, venv
if sys.version_info < (3, 12):
    raise SystemExit(1)
print(getattr(sys, "_base_executable", sys.executable))
'

works() {
    found=$("$1" -c "$check" 2>/dev/null </dev/null) && [ -x "$found" ]
}

candidates() {
    [ -n "${VIRTUAL_ENV:-}" ] && printf '%s\n' "$VIRTUAL_ENV/bin/python"
    printf '%s\n' python3.13 python3.12 python3.14 python3.15 python3 python
    newest_first "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python
    command -v uv >/dev/null 2>&1 && uv python find --no-python-downloads '>=3.12' 2>/dev/null
    newest_first /opt/homebrew/bin/python3.1[2-9] /usr/local/bin/python3.1[2-9]
    newest_first /opt/homebrew/opt/python@3.1[2-9]/bin/python3.1[2-9]
    [ -n "${CONDA_PREFIX:-}" ] && printf '%s\n' "$CONDA_PREFIX/bin/python"
    newest_first "$HOME"/*conda3/bin/python "$HOME"/*conda3/envs/*/bin/python
}

newest_first() {
    printf '%s\n' "$@" | sort -r
}

if [ -n "${PYTHON:-}" ]; then
    if works "$PYTHON"; then
        printf '%s\n' "$found"
        exit 0
    fi
    version=$("$PYTHON" --version 2>&1 </dev/null) || version="it does not run"
    printf 'PYTHON=%s cannot be used (%s): perftrace needs Python 3.12 or newer with venv.\n' \
        "$PYTHON" "$version" >&2
    exit 1
fi

list=$(candidates)
while IFS= read -r candidate; do
    if works "$candidate"; then
        printf '%s\n' "$found"
        exit 0
    fi
done <<END
$list
END

cat >&2 <<'END'
No Python 3.12 or newer with venv was found. Get one, then run make again:

  Debian, Ubuntu   sudo apt install python3.12 python3.12-venv
  Fedora           sudo dnf install python3.12
  macOS            brew install python@3.12
  pyenv            pyenv install 3.12
  uv               uv python install 3.12
  conda            conda create -n py312 python=3.12 && conda activate py312

Or name one that lies elsewhere:  make PYTHON=/path/to/python3.12
END
exit 1
