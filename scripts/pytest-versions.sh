#!/bin/sh
# Try the pytest plugin with several versions of pytest, each in an environment of its own:
#     sh scripts/pytest-versions.sh PYTHON [VERSION…]
set -eu
python=$1
shift
[ $# -gt 0 ] || set -- 7.0.1 7.4.4 8.0.2 8.4.2 9.0.2 ""
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
here=$(cd "$(dirname "$0")/.." && pwd)

mkdir "$scratch/project"
cd "$scratch/project"
printf '[tool.perftrace]\noverhead = 1.0\n' >pyproject.toml  # watch every function in every test
export XDG_CONFIG_HOME="$scratch/config"
mkdir unit
cat >shop.py <<'PY'
def price(n):
    return rounded(n * 1.19)
def rounded(x):
    return round(x, 2)
PY
cat >unit/test_shop.py <<'PY'
import pytest, shop
@pytest.mark.parametrize("n", [1, 2])
def test_price(n):
    assert shop.price(n) > 1
def test_fails():
    assert shop.rounded(1.234) == 2
PY
cat >unit/conftest.py <<'PY'
def pytest_addoption(parser):
    parser.addoption("--of-the-conftest", action="store_true")  # only if `unit` is a test path
PY
failed=0
for version in "$@"; do
    environment="$scratch/env$version"
    "$python" -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check "$here" \
        "pytest${version:+==$version}" pytest-xdist 2>/dev/null
    shown=$("$environment/bin/python" -c 'import pytest; print(pytest.__version__)')
    for words in "--perftrace unit" "--perftrace=.perftrace/trace.db unit -n 2" \
        "--perftrace unit --of-the-conftest" "-p no:perftrace unit"; do
        rm -rf .perftrace
        # shellcheck disable=SC2086
        "$environment/bin/python" -m pytest -q $words >out.txt 2>&1 || true
        grep -q "1 failed, 2 passed" out.txt || { echo "pytest $shown $words: outcome"; cat out.txt; failed=1; }
        case $words in -p*) continue ;; esac
        found=$("$environment/bin/perftrace" show shop:rounded --json |
            "$environment/bin/python" -c \
                'import json, sys; print(*sorted(t["name"] for t in json.load(sys.stdin)["tests"]))')
        want="unit/test_shop.py::test_fails unit/test_shop.py::test_price[1] unit/test_shop.py::test_price[2]"
        if [ "$found" = "$want" ]; then
            echo "pytest $shown $words: ok"
        else
            echo "pytest $shown $words: found $found"
            failed=1
        fi
    done
done
exit $failed
