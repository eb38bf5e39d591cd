#!/usr/bin/env bash
# Signs one request with a back end's own key, as docs/spec/request.md has it, and sends it with curl.
#
#   openssl genpkey -algorithm ed25519 -out KEY.pem
#   sign.sh KEY.pem                                        the key's public half and its id
#   sign.sh KEY.pem METHOD URL [BODY-FILE [ACT-DIGEST [FOR-CURL…]]]
set -euo pipefail
key=$1 method=${2:-} url=${3:-} body=${4:-} act=${5:-}
public() { openssl pkey -in "$key" -pubout -outform DER | tail -c 32; }
keyid=$({ printf 'portcullis/factor/v1\0\202\001\130\040' && public; } | sha256sum | head -c 32)
[ "$method" ] || { echo "$(public | basenc --base64url | tr -d =) $keyid" && exit; }
rest=${url#*://} && target=/${rest#*/} && path=${target%%\?*}
base=$(mktemp) && trap 'rm -f "$base"' EXIT
names=() headers=()
cover() { names+=("\"$1\"") && printf '"%s": %s\n' "$1" "$2" >>"$base"; }
cover @method "$method" && cover @authority "${rest%%/*}" && cover @path "$path"
[ "$target" = "$path" ] || cover @query "${target#"$path"}"
if [ "$body" ]; then
  digest="sha-256=:$(openssl dgst -sha256 -binary "$body" | base64 -w0):" && cover content-digest "$digest"
  headers+=(-H "Content-Digest: $digest" -H "Content-Type: application/json" --data-binary "@$body")
fi
[ -z "$act" ] || { cover portcullis-act "$act" && headers+=(-H "Portcullis-Act: $act"); }
params="(${names[*]});created=$(date +%s);nonce=\"$(openssl rand -hex 16)\";keyid=\"$keyid\";alg=\"ed25519\";tag=\"portcullis\""
printf '"@signature-params": %s' "$params" >>"$base"
signature=$(openssl pkeyutl -sign -rawin -inkey "$key" -in "$base" | base64 -w0)
curl -sS -X "$method" -H "Signature-Input: portcullis=$params" -H "Signature: portcullis=:$signature:" "${headers[@]}" "${@:6}" "$url"
