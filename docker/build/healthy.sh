#!/bin/bash
# Exits with 0 when the process of this container answers /healthz. No second Node every few seconds.
exec 3<>"/dev/tcp/127.0.0.1/$OPERATOR_PORT" || exit 1
printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
read -r -t 2 -u 3 _ status _
[ "$status" = 200 ]
