#!/bin/sh
# Checks one record of a ledger with openssl and base64 only: for whoever does not want to trust our verifier either.
#
#   sh check-proof.sh <index>.tlog-proof <index>.json ledger.vkey
#
# The first two are written by `countersign ledger proof <index>`; the key is to come from elsewhere. Exit 0 proven, 1 not, 2 usage.
# What is computed: docs/ledger-format.md, "One record". RFC 9162, 2.1.3.2; c2sp.org/tlog-proof, signed-note, tlog-checkpoint.
set -eu
[ $# -eq 3 ] && [ -r "$1" ] && [ -r "$2" ] && [ -r "$3" ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
no() { echo "not proven: $1"; exit 1; }

# The proof: a head with index and path, an empty line, the checkpoint: its text, an empty line, signatures.
sed '/^$/,$d' "$1" > "$work/head"
sed '1,/^$/d' "$1" > "$work/checkpoint"
[ "$(sed -n 1p "$work/head")" = 'c2sp.org/tlog-proof@v1' ] || no 'the file is no tlog-proof'
index=$(sed -n 's/^index \([0-9]\{1,15\}\)$/\1/p' "$work/head")
sed '/^$/,$d' "$work/checkpoint" > "$work/text"
name=$(sed -n 1p "$work/text")
size=$(sed -n 2p "$work/text")
root=$(sed -n 3p "$work/text")
case "$index$size" in *[!0-9]* | '') no 'index or size is missing' ;; esac
[ "$index" -lt "$size" ] || no 'the index lies beyond the checkpoint'

# 1. The checkpoint is signed with this key, and is of this key's log.
[ "$name" = "$(cut -d+ -f1 "$3")" ] || no "the checkpoint is of the log $name"
grep -F "— $name " "$work/checkpoint" | head -n 1 | cut -d' ' -f3 | base64 -d | tail -c 64 > "$work/signature"
(printf '\060\052\060\005\006\003\053\145\160\003\041\000'; cut -d+ -f3- "$3" | base64 -d | tail -c 32) > "$work/key.der"
openssl pkeyutl -verify -pubin -inkey "$work/key.der" -keyform DER -rawin -in "$work/text" -sigfile "$work/signature" \
  > /dev/null 2>&1 || no 'the signature does not verify'

# 2. The entry's hash, folded with the path, is the root.
hash() { openssl dgst -sha256 -binary; }
(printf '\000'; cat "$2") | hash > "$work/r"
fn=$index
sn=$((size - 1))
for line in $(sed -n '/^index /,$p' "$work/head" | sed 1d); do
  [ $sn -gt 0 ] || no 'the path is too long'
  printf '%s' "$line" | base64 -d > "$work/p"
  [ "$(wc -c < "$work/p")" -eq 32 ] || no 'a hash is malformed'
  if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq $sn ]; then
    (printf '\001'; cat "$work/p" "$work/r") | hash > "$work/next"
    while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)); sn=$((sn >> 1)); done
  else
    (printf '\001'; cat "$work/r" "$work/p") | hash > "$work/next"
  fi
  mv "$work/next" "$work/r"
  fn=$((fn >> 1))
  sn=$((sn >> 1))
done
[ $sn -eq 0 ] || no 'the path is too short'
[ "$(base64 < "$work/r")" = "$root" ] || no "the entry does not stand at $index under this checkpoint"
echo "proven: the entry stands at $index of $size in the log $name"
