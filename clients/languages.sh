# shellcheck shell=bash
# For each language: whether it can be had here, how client and example are built, how the client's tests and the example
# run. Sourced after script/lib.sh, never run. What is built lands below .peers/clients.

# shellcheck disable=SC2034 # used by those that source this
readonly LANGUAGES=(python typescript go java)
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

# The client stands where npm would install it, and the example beside it.
have_typescript() {
  missing="no Node 20 with TypeScript"
  [ -x "$packages/typescript/node_modules/.bin/tsc" ] && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'
}
build_typescript() {
  local own=$packages/typescript
  local installed=$own/node_modules/portcullis-client
  rm -rf "$installed" "$own/built"
  mkdir -p "$installed" "$own/built"
  cp clients/typescript/package.json "$installed/"
  "$own/node_modules/.bin/tsc" -p clients/typescript --outDir "$installed/dist" --typeRoots "$own/node_modules/@types"
  cp clients/typescript/test/*.mjs examples/typescript/*.ts examples/typescript/*.json "$own/built/"
  "$own/node_modules/.bin/tsc" -p "$own/built"
}
test_typescript() { node --test --test-reporter dot "$packages/typescript/built/"; }
example_typescript() { node "$packages/typescript/built/exchange.js" "$1"; }

have_go() {
  missing="no Go 1.19"
  have go
}
build_go() {
  mkdir -p "$packages/go"
  (cd examples/go && GOFLAGS=-mod=mod GOPROXY=off go build -o "$packages/go/exchange" .)
}
test_go() { (cd clients/go && GOPROXY=off go vet . && GOPROXY=off go test -count=1 .); }
example_go() { "$packages/go/exchange" "$1"; }

have_java() {
  missing="no JDK 17"
  javac --release 17 --version >/dev/null 2>&1
}
build_java() {
  local classes=$packages/java
  rm -rf "$classes"
  javac --release 17 -encoding UTF-8 -Xlint:all -Werror -d "$classes" \
    clients/java/src/portcullis/*.java clients/java/test/portcullis/*.java examples/java/*.java
}
test_java() { java -cp "$packages/java" portcullis.Vectors; }
example_java() { java -cp "$packages/java" Exchange "$1"; }
