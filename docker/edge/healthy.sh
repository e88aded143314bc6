#!/bin/bash
# Exits with 0 when the edge of this container takes requests.
exec 3<>"/dev/tcp/${OPERATOR_HOST:-127.0.0.1}/${OPERATOR_PORT:-9082}" || exit 1
printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
read -r -t 2 -u 3 _ status _
[ "$status" = 200 ]
