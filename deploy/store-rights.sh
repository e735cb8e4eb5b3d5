#!/bin/sh
# Gives the ledger's user in EventStoreDB the rights that it needs and no others. It may be run again at any time: the
# user's name, the ids of the two events and their contents are always the same. docs/cluster.md says what each right is for.
#
# In the environment:
#   NODE            a node's address, such as https://eventstore-1:2113
#   CA              a file with the certificate authority to trust
#   ADMIN_PASSWORD  of the user admin
#   USER_NAME       of the ledger's user
#   USER_PASSWORD   that it is to have
# Letters and digits only: the ledger's connection string has name and password as they are, with nothing encoded.
set -eu

# Posts a body: post PATH TYPE BODY. Prints the answer's status. Everything goes in by standard input: the process list has
# no passwords.
post() {
    curl --silent --show-error --max-time 20 --cacert "$CA" --config - --output /dev/null --write-out '%{http_code}' <<END
url = "$NODE$1"
user = "admin:$ADMIN_PASSWORD"
header = "Content-Type: $2"
data = "$(printf '%s' "$3" | tr '\n' ' ' | sed 's/"/\\"/g')"
END
}

# Posts until the answer is one of the good ones: put WHAT "GOOD STATUSES" PATH TYPE BODY. A cluster that has just been made has
# no users yet, and answers 401 or 503 until its leader has written them.
put() {
    tries=0
    while :; do
        status=$(post "$3" "$4" "$5") || status="nothing"
        case " $2 " in *" $status "*) echo "$1: $status"; return ;; esac
        tries=$((tries + 1))
        [ "$tries" -lt "${TRIES:-30}" ] || break
        sleep 2
    done
    echo "store-rights.sh: $1: EventStoreDB answered $status" >&2
    exit 1
}

put "the user $USER_NAME" "201 409" /users/ application/json "{
    \"LoginName\": \"$USER_NAME\", \"FullName\": \"bookonce\", \"Groups\": [], \"Password\": \"$USER_PASSWORD\"}"

# Streams: the ledger reads and appends, and reads the metadata to see that nobody cuts a stream. Only administrators
# delete streams or change metadata, and they must not. The stock settings let every user do all of it.
events=application/vnd.eventstore.events+json
put "rights on streams" 201 '/streams/%24settings' "$events" "[{
    \"eventId\": \"6f2b8c0e-3f0e-4a53-9c1e-0b00c0de0001\", \"eventType\": \"update-default-acl\", \"data\": {
    \"\$userStreamAcl\": {\"\$r\": [\"\$admins\", \"$USER_NAME\"], \"\$w\": [\"\$admins\", \"$USER_NAME\"],
        \"\$d\": \"\$admins\", \"\$mr\": [\"\$admins\", \"$USER_NAME\"], \"\$mw\": \"\$admins\"},
    \"\$systemStreamAcl\": {\"\$r\": \"\$admins\", \"\$w\": \"\$admins\", \"\$d\": \"\$admins\", \"\$mr\": \"\$admins\",
        \"\$mw\": \"\$admins\"}}}]"

# The order of all events, which the ledger's index follows.
put "rights on \$all" 201 '/streams/%24all/metadata' "$events" "[{
    \"eventId\": \"6f2b8c0e-3f0e-4a53-9c1e-0b00c0de0002\", \"eventType\": \"\$metadata\", \"data\": {
    \"\$acl\": {\"\$r\": [\"\$admins\", \"$USER_NAME\"]}}}]"
