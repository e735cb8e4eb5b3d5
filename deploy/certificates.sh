#!/bin/sh
# Makes a certificate authority and a certificate for each node of the cluster, once. Runs in the vendor's es-gencert-cli
# image, as root, for a moment and without a network: the nodes run as user 1000 and must be the only ones to read their keys.
#
# /authority  the authority's private key; no other container mounts it
# /certs      ca/ca.crt for everybody, and <node>/node.crt and node.key
#
# The authority is good for five years and the nodes' certificates for one. To have new ones, remove both volumes.
set -eu
[ ! -e /certs/complete ] || exit 0
# What an interrupted run left: the tool refuses folders that exist.
rm -rf /authority/ca /certs/ca /certs/eventstore-*
es-gencert-cli create-ca -out /authority/ca
mkdir /certs/ca
cp /authority/ca/ca.crt /certs/ca/ca.crt
for node in "$@"; do
    es-gencert-cli create-node -ca-certificate /authority/ca/ca.crt -ca-key /authority/ca/ca.key \
        -out "/certs/$node" -dns-names "$node,localhost" -ip-addresses 127.0.0.1
    chown -R 1000:1000 "/certs/$node"
    chmod 0400 "/certs/$node/node.key"
done
chmod 0755 /certs /certs/ca
chmod 0444 /certs/ca/ca.crt
touch /certs/complete
