#!/bin/sh
# Makes the keys and passwords of the trial, a file each in secrets/, once. What is there is kept: with a new MASTER_KEYS
# no stored message can be read. Needs openssl.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
once() { [ -e "secrets/$1" ] || { printf '%s' "$2" >"secrets/$1.new" && mv "secrets/$1.new" "secrets/$1"; }; }
password() { openssl rand -hex 24; }

for name in MASTER_KEYS TICKET_KEYS REFRESH_KEYS; do
  once "$name" "k$(openssl rand -hex 3):$(openssl rand -base64 32)"
done
once TOKEN_KEYS "$(openssl genpkey -algorithm ed25519)"
once POSTGRES_PASSWORD "$(password)"
once DATABASE_URL "postgres://flotilla:$(cat secrets/POSTGRES_PASSWORD)@flotilla-postgresql:5432/flotilla"
once REDIS_PASSWORD "$(password)"
once REDIS_URL "redis://:$(cat secrets/REDIS_PASSWORD)@flotilla-redis:6379"
