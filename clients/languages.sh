# shellcheck shell=bash
# For each language: whether it can be had here, how client and example are built, how the client's tests and the example
# run. Sourced after script/lib.sh, never run. What is built lands below .peers/clients.

# shellcheck disable=SC2034 # used by those that source this
readonly LANGUAGES=(python)
readonly packages=$PEERS/clients

# Why a language cannot be had, set by `have_LANGUAGE`.
missing=

have_packages() { [ -e "$packages/stamp" ]; }

have_python() {
  missing="no Python 3.11"
  "$packages/python/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}
build_python() { :; }
test_python() { (cd clients/python && "$packages/python/bin/python" -B -m unittest tests/test_vectors.py); }
example_python() { PYTHONPATH=clients/python "$packages/python/bin/python" -B examples/python/exchange.py "$1"; }
