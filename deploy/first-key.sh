#!/bin/sh
# Makes the ledger's first operator key on the first call: first-key.sh FILE. The service keeps hashes only, in BOOKONCE_KEYS;
# FILE is the one place with the token, in a volume that no instance mounts. It is never printed: what a container prints stays
# in its log, and goes wherever logs are collected.
set -eu
umask 077
token=$1
if [ ! -s "$token" ]; then
    made=$(bookonce keys create --role operator --name first --json)
    # Printed into a file beside it and renamed: after a crash there is a whole token or none, and then another key is made.
    printf '%s\n' "$made" | sed -n 's/.*"token":"\([^"]*\)".*/\1/p' >"$token.new"
    [ -s "$token.new" ] || { echo "first-key.sh: no token in what bookonce keys printed" >&2; exit 1; }
    mv "$token.new" "$token"
fi
echo "The first operator's token is in $token."
