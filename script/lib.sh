# shellcheck shell=bash
# What the scripts beside this file share. Sourced, never run.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Everything that the project fetches for itself lands here; `rm -r .peers` takes it all back.
export PEERS="$root/.peers"

# Some tools, and every Rust peer, are found where cargo puts what it installs.
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "$*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# npm_install FOLDER PACKAGE@VERSION…: into FOLDER/node_modules. From inside the folder, because with `--prefix` npm
# loses the machine's own settings (such as its certificates); named in a package.json, because npm removes
# what that does not name when the next package comes.
npm_install() (
  mkdir -p "$1"
  cd "$1"
  shift
  [ -e package.json ] || say '{ "private": true }' >package.json
  npm install --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error "$@" </dev/null
)

# Something that was meant to be checked and is not. `script/test` gathers these lines and ends with them.
skipped() { say "skipped: $*"; }

# Runs a command under a heading and says how long it took: a slow phase should be seen by whoever slows it.
# The subshell, called outside any condition, is what keeps `set -e` in force inside a function.
phase() {
  local name=$1 begun=$SECONDS status
  shift
  say "== $name"
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  say "== $name: $((SECONDS - begun)) s$([ "$status" = 0 ] || printf ', failed with %s' "$status")"
  return "$status"
}

# Where script/run keeps a running system: the network's folder, logs, and NAME.pid for every process.
# shellcheck disable=SC2034 # used by those that source this
home=.portcullis

# running NAME: whether the process that script/run noted under NAME lives. A number that now belongs to
# something else does not count: ours leads a session of its own and works in this checkout.
running() {
  local pid
  pid=$(cat "$home/$1.pid" 2>/dev/null) && [ -n "$pid" ] || return
  [ "$(readlink "/proc/$pid/cwd")" = "$root" ] && [ "$(cut -d' ' -f6 "/proc/$pid/stat" 2>/dev/null)" = "$pid" ]
}
