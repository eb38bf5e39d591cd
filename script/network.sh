# shellcheck shell=bash
# A development network of a script's own, with an Ethereum node, on free ports. Sourced after lib.sh, never run.

readonly anvil=$PEERS/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil

# await_line PATTERN FILE: until a process has printed it there.
await_line() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    grep -qs "$1" "$2" && return
    sleep 0.2
  done
  cat "$2" >&2
  die "waited in vain for $1"
}

# start_network PORTCULLIS FOLDER: in the background, below FOLDER; what started it ends it. Sets $network, and $gate,
# $wallet and $node, as `init` says them.
start_network() {
  local program=$1 folder=$2
  network=$folder/network
  "$anvil" --host 127.0.0.1 --port 0 --chain-id 31337 >"$folder/anvil" 2>&1 &
  await_line '^Listening on' "$folder/anvil"
  node=http://$(sed -n 's/^Listening on //p' "$folder/anvil")
  "$program" init --development "$network" --node "$node" >"$folder/init"
  # shellcheck disable=SC2034 # for whoever sources this
  gate=$(sed -n 's/^ *gate *//p' "$folder/init") wallet=$(sed -n 's/^ *wallet *//p' "$folder/init")
  "$program" serve --all --dir "$network" >"$folder/serve" 2>&1 &
  await_line '^ready$' "$folder/serve"
}
