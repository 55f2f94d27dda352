#!/bin/sh
# Checks a whole ledger with a shell, openssl and coreutils: for whoever does not want to trust our verifier either. Slow: for
# small ledgers, or for the shape of the check.
#
#   sh check-ledger.sh <ledger folder> <vkey file> [<kept checkpoint, receipt or mail>]
#   WITNESS=<vkey file> TSA_CA=<certificates.pem> sh check-ledger.sh …
#
# Every entry of the bundles is hashed and compared with the tiles, the tiles with the root, the root with the signed checkpoint; then
# what was kept, the cosignature and the time stamps. Exit 0 right, 1 not, 2 usage. What is computed: docs/ledger-format.md.
set -eu
[ $# -ge 2 ] && [ -d "$1" ] && [ -r "$2" ] && { [ $# -lt 3 ] || [ -r "$3" ]; } || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
ledger=$1
key=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exec 3>&1
no() { echo "not right: $1" >&3; exit 1; }

hex() { od -An -v -tx1 | tr -d ' \n'; }
sum() { openssl dgst -sha256 -binary | hex; }
# The shell's own printf may know octal only.
bytes() { env printf "$(printf '%s' "$1" | sed 's/../\\x&/g')"; }
node() { (printf '\001'; bytes "$1$2") | sum; }

# signed <note> <vkey file> <type in hex>: the note is signed with this key. Leaves its text in $work/text.
signed() {
  sed '/^$/,$d' "$1" > "$work/text"
  name=$(cut -d+ -f1 "$2")
  keyhex=$(cut -d+ -f3- "$2" | base64 -d 2> /dev/null | hex)
  [ "$(printf '%s' "$keyhex" | cut -c1-2)" = "$3" ] || no "$2 is not a key of this kind"
  id=$( (printf '%s\n' "$name"; bytes "$keyhex") | sum | cut -c1-8)
  grep -F "— $name " "$1" | cut -d' ' -f3 | while read -r line; do
    all=$(printf '%s' "$line" | base64 -d 2> /dev/null | hex)
    [ "$(printf '%s' "$all" | cut -c1-8)" = "$id" ] || continue
    printf '%s' "$all" | cut -c9-
  done > "$work/signatures"
  signature=$(head -n 1 "$work/signatures")
  [ -n "$signature" ] || no "$1 is not signed by $name"
  cp "$work/text" "$work/message"
  if [ "$3" = 04 ]; then
    seconds=$((0x$(printf '%s' "$signature" | cut -c1-16)))
    signature=$(printf '%s' "$signature" | cut -c17-)
    (printf 'cosignature/v1\ntime %s\n' "$seconds"; cat "$work/text") > "$work/message"
  fi
  bytes "$signature" > "$work/signature"
  bytes "302a300506032b6570032100$(printf '%s' "$keyhex" | cut -c3-)" > "$work/key.der"
  openssl pkeyutl -verify -pubin -inkey "$work/key.der" -keyform DER -rawin -in "$work/message" -sigfile "$work/signature" \
    > /dev/null 2>&1 || no "the signature of $name in $1 does not verify"
  [ "$3" = 04 ] || [ "$(sed -n 1p "$work/text")" = "$name" ] || no "$1 is of another log"
}

# The path of tile or bundle number $2 of level $1 that is $3 wide; a wider one will do.
tile() {
  name=$(printf '%03d' $(($2 % 1000)))
  rest=$(($2 / 1000))
  while [ $rest -gt 0 ]; do name="x$(printf '%03d' $((rest % 1000)))/$name"; rest=$((rest / 1000)); done
  path="$ledger/tile/$1/$name"
  [ -f "$path" ] || [ "$3" -eq 256 ] || path="$path.p/$3"
  [ -f "$path" ] || no "$path is missing"
  printf '%s' "$path"
}

# The root of the hashes in $1, one a line, of a complete or the last subtree: pairs, and what is left over moves up as it is.
root() {
  cp "$1" "$work/row"
  while [ "$(wc -l < "$work/row")" -gt 1 ]; do
    while read -r left; do
      if read -r right; then echo "$(node "$left" "$right")"; else echo "$left"; fi
    done < "$work/row" > "$work/above"
    mv "$work/above" "$work/row"
  done
  cat "$work/row"
}

# 1. The checkpoint is signed by the key that was given.
signed "$ledger/checkpoint" "$key" 01
size=$(sed -n 2p "$work/text")
wanted=$(sed -n 3p "$work/text" | base64 -d | hex)
log=$(sed -n 1p "$work/text")
case "$size" in '' | *[!0-9]* | 0) no 'the checkpoint covers nothing' ;; esac

# What was kept, and what was stamped, are checked on the way: their sizes and roots.
: > "$work/held"
if [ $# -ge 3 ]; then
  if grep -q 'BEGIN COUNTERSIGN CHECKPOINT' "$3"; then
    block=$(tr -d '\r' < "$3" | sed 's/=$//' | sed -n '/BEGIN COUNTERSIGN CHECKPOINT/,/END COUNTERSIGN CHECKPOINT/p' | sed '1d;$d' | tr -cd 'A-Za-z0-9+/')
    while [ $((${#block} % 4)) -ne 0 ]; do block="$block="; done
    printf '%s' "$block" | base64 -d > "$work/kept"
  else
    cp "$3" "$work/kept"
  fi
  signed "$work/kept" "$key" 01
  echo "$(sed -n 2p "$work/text") $(sed -n 3p "$work/text" | base64 -d | hex) kept" >> "$work/held"
fi
if [ -n "${WITNESS:-}" ]; then
  signed "$ledger/checkpoint.cosigned" "$key" 01
  signed "$ledger/checkpoint.cosigned" "$WITNESS" 04
  echo "$(sed -n 2p "$work/text") $(sed -n 3p "$work/text" | base64 -d | hex) cosigned" >> "$work/held"
fi
for stamp in "$ledger"/timestamps/*.tsr; do
  [ -f "$stamp" ] || continue
  signed "${stamp%.tsr}.checkpoint" "$key" 01
  echo "$(sed -n 2p "$work/text") $(sed -n 3p "$work/text" | base64 -d | hex) stamped" >> "$work/held"
  [ -n "${TSA_CA:-}" ] || continue
  openssl ts -verify -data "$work/text" -in "$stamp" -CAfile "$TSA_CA" > "$work/ts" 2>&1 || no "the time stamp $stamp does not verify"
  echo "time stamp of $(sed -n 2p "$work/text") entries: $(openssl ts -reply -in "$stamp" -text 2> /dev/null | sed -n 's/^Time stamp: //p')"
done

# 2. Every entry has its hash in the tiles of level 0.
: > "$work/leaves"
first=0
while [ $first -lt "$size" ]; do
  n=$((first / 256))
  width=$((size - first < 256 ? size - first : 256))
  bundle=$(tile entries $n $width)
  hashes=$(tile 0 $n $width)
  hex < "$hashes" | fold -w 64 | sed -e '$a\' | head -n "$width" > "$work/cells"
  at=0
  i=0
  while [ $i -lt $width ]; do
    length=$((0x$(tail -c +$((at + 1)) "$bundle" | head -c 2 | hex)))
    leaf=$( (printf '\000'; tail -c +$((at + 3)) "$bundle" | head -c $length) | sum)
    [ "$leaf" = "$(sed -n $((i + 1))p "$work/cells")" ] || no "entry $((first + i)) is not the one in $hashes"
    at=$((at + 2 + length))
    i=$((i + 1))
  done
  cat "$work/cells" >> "$work/leaves"
  first=$((first + 256))
done

# 3. The hashes lead to the root of the checkpoint, and their beginnings to the roots that are held.
[ "$(root "$work/leaves")" = "$wanted" ] || no 'the entries do not lead to the root of the checkpoint'
while read -r count wants what; do
  [ "$count" -le "$size" ] || no "the $what checkpoint covers $count entries, the ledger has $size: it was set back"
  head -n "$count" "$work/leaves" > "$work/part"
  if [ "$count" -eq "$size" ]; then found=$wanted; else found=$(root "$work/part"); fi
  [ "$found" = "$wants" ] || no "the first $count entries are not those of the $what checkpoint"
  echo "continues the $what checkpoint of $count entries"
done < "$work/held"
echo "right: $size entries of the log $log"
