#!/bin/sh
# Makes the keys and passwords that the volumes lack. What is there is kept: the data was made with it.
set -eu
umask 022
node /app/apps/api/dist/make-keys.js /keys

password() {
  [ -s "$1" ] && return
  node -p 'crypto.randomBytes(24).toString("base64url")' >"$1.new"
  mv "$1.new" "$1"
}
password /postgresql-password/postgresql
password /grafana-password/grafana
echo "postgresql://flotilla:$(cat /postgresql-password/postgresql)@postgresql:5432/flotilla" >/keys/database-url.new
mv /keys/database-url.new /keys/database-url
