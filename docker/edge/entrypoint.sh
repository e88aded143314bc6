#!/bin/sh
# Starts the edge: checks the settings, renders the configuration into the temporary folder, runs nginx and stays beside
# it, because nginx alone knows one time for two things: after a reload sockets may stay for a day, a stop has to end.
# TERM, QUIT and INT stop, HUP reloads. README.md beside this file has the settings.
set -eu
umask 077
export LC_ALL=C TZ=UTC

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
run=${TMPDIR:-/tmp}/edge
# nginx takes a variable of this name for sockets that it inherits.
nginx=${NGINX:-nginx}
unset NGINX
newline='
'
faults=

fault() { faults="$faults  $1$newline"; }
refuse() {
  printf 'unable to start the edge:\n%s' "$1" >&2
  exit 1
}
say() {
  printf '{"level":%s,"time":"%s","name":"edge","msg":"%s"}\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%S+00:00)" "$2" >&2
}
fits() { printf '%s\n' "$1" | grep -Eqx -- "$2"; }
# Prints the parts of a list, one a line. Commas and spaces part them.
parts() { printf '%s\n' "$1" | tr ', ' '\n\n' | sed '/^$/d'; }

# NAME, default, lowest, highest.
whole() {
  eval "value=\${$1:-$2}"
  # Digits, not too many, and no 0 before others, which would make it octal. No process for each of them.
  case $value in
    *[!0-9]* | 0?* | ??????????*) good= ;;
    *) good=1 ;;
  esac
  if [ -n "$good" ] && [ "$value" -ge "$3" ] && [ "$value" -le "$4" ]; then
    eval "$1=$value"
  else
    fault "$1 must be a whole number from $3 to $4, not '$value'"
    eval "$1=$2"
  fi
}
flag() {
  eval "value=\${$1:-off}"
  case $value in
    on | true | yes | 1) eval "$1=on" ;;
    off | false | no | 0) eval "$1=off" ;;
    *) fault "$1 must be on or off, not '$value'" ;;
  esac
}
# NAME of a path that must be there. No character that means something to nginx.
readable() {
  eval "value=\${$1:-}"
  [ -n "$value" ] || return 0
  if ! fits "$value" '/[A-Za-z0-9._/@+-]*'; then
    fault "$1 must be an absolute path of letters, digits and . _ / @ + -, not '$value'"
  elif [ ! -r "$value" ]; then
    fault "$1: there is no '$value', or user $(id -u) may not read it"
  fi
}

port='[0-9]{1,5}'
name='[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9.])?'
v4='[0-9]{1,3}(\.[0-9]{1,3}){3}'
v6='[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*'

# NAME, default, further parameters: writes one line for each server of an upstream.
servers() {
  eval "value=\${$1:-$2}"
  [ -n "$(parts "$value")" ] || fault "$1 must name at least one host:port"
  for server in $(parts "$value"); do
    if fits "$server" "($v4|\[$v6\]):$port"; then
      echo "server $server $3;"
    elif fits "$server" "$name:$port"; then
      named=1
      echo "server $server resolve $3;"
    else
      fault "$1 must be host:port, or several with commas, not '$server'"
    fi
  done
}

check_numbers() {
  whole PORT 8080 1 65535
  whole TLS_PORT 8443 1 65535
  whole OPERATOR_PORT 9082 1 65535
  whole RESOLVER_VALID_SECONDS 2 1 3600
  whole REQUESTS_PER_SECOND 10 1 1000000
  whole REQUESTS_BURST 20 0 1000000
  whole CONNECTS_PER_SECOND 100 1 1000000
  whole CONNECTS_BURST 1000 0 1000000
  whole SIGN_INS_PER_MINUTE 20 1 1000000
  whole CONNECTIONS_PER_ADDRESS_MAX 100 1 65535
  whole SOCKETS_PER_ADDRESS_MAX 5000 1 65535
  whole BODY_BYTES_MAX 6291456 1024 104857600
  whole KEEP_SOCKETS_SECONDS 86400 1 2592000
  whole STOP_SECONDS 25 0 3600
  whole TLS_CHECK_SECONDS 60 1 86400
  [ "${WORKERS:-auto}" = auto ] || whole WORKERS 1 1 256
  # What is left of a limit whose tokens come one at a time.
  SIGN_IN_RETRY_SECONDS=$(((60 + SIGN_INS_PER_MINUTE - 1) / SIGN_INS_PER_MINUTE))
}

# The processors that this container may use, which are not those of the machine.
processors() {
  count=$(nproc)
  quota= period=
  if [ -r /sys/fs/cgroup/cpu.max ]; then
    read -r quota period </sys/fs/cgroup/cpu.max || :
  elif [ -r /sys/fs/cgroup/cpu/cpu.cfs_quota_us ]; then
    read -r quota </sys/fs/cgroup/cpu/cpu.cfs_quota_us && read -r period </sys/fs/cgroup/cpu/cpu.cfs_period_us || :
  fi
  if fits "$quota" '[0-9]+' && fits "$period" '[0-9]+' && [ "$period" -gt 0 ]; then
    allowed=$(((quota + period - 1) / period))
    [ "$allowed" -ge "$count" ] || count=$allowed
  fi
  [ "$count" -ge 1 ] || count=1
  echo "$count"
}

# Each connection is a file. Only root may raise the hard limit, so it is the most that there can be.
check_files() {
  [ "${WORKERS:-auto}" != auto ] || WORKERS=$(processors)
  spare=512
  asked=${WORKER_CONNECTIONS:-}
  whole WORKER_CONNECTIONS 131072 64 1048576
  OPEN_FILES=$((WORKER_CONNECTIONS + spare))
  hard=$(ulimit -Hn)
  [ "$hard" != unlimited ] && [ "$hard" -lt "$OPEN_FILES" ] || return 0
  if [ -n "$asked" ] || [ "$hard" -lt 1024 ]; then
    fault "WORKER_CONNECTIONS=$WORKER_CONNECTIONS asks for $OPEN_FILES open files, and no more than $hard are allowed: raise the limit (ulimit -n)"
  else
    OPEN_FILES=$hard
    WORKER_CONNECTIONS=$((hard - spare))
    say 40 "open-file limit is $hard: each worker takes $((WORKER_CONNECTIONS / 2)) sockets instead of 65536"
  fi
}

# The nameservers of /etc/resolv.conf as nginx writes them.
system_resolvers() {
  sed -n 's/^nameserver[[:space:]]\{1,\}\([0-9A-Fa-f:.]\{1,\}\)[[:space:]]*$/\1/p' /etc/resolv.conf 2>/dev/null |
    sed 's/^\(.*:.*\)$/[\1]/' | head -n 3
}

check_resolver() {
  RESOLVER=$(parts "${RESOLVER:-$(system_resolvers)}" | tr '\n' ' ')
  for server in $RESOLVER; do
    fits "$server" "($v4|\[$v6\]|$name)(:$port)?" || fault "RESOLVER must be addresses of name servers, not '$server'"
  done
  if [ -z "$RESOLVER" ]; then
    [ -z "${named:-}" ] || fault 'RESOLVER is needed: /etc/resolv.conf names no name server that could be asked'
    RESOLVER=127.0.0.1
  fi
  RESOLVER_FAMILY=
  has_ipv6 || RESOLVER_FAMILY=' ipv6=off'
}
has_ipv6() { [ -s /proc/net/if_inet6 ]; }

# Writes the lines of one listener. ADDRESS or nothing for all, port, parameters.
listener() {
  if [ -n "$1" ]; then
    case $1 in *:*) echo "listen [$1]:$2 $3;" ;; *) echo "listen $1:$2 $3;" ;; esac
  else
    echo "listen 0.0.0.0:$2 $3;"
    ! has_ipv6 || echo "listen [::]:$2 ipv6only=on $3;"
  fi
}

check_listeners() {
  for one in HOST OPERATOR_HOST; do
    eval "value=\${$one:-}"
    [ -z "$value" ] || fits "$value" "$v4|$v6" || fault "$one must be an address, not '$value'"
  done
  flag PROXY_PROTOCOL
  with='reuseport backlog=4096'
  SENDER='$realip_remote_addr' REAL_IP_HEADER=X-Forwarded-For
  if [ "$PROXY_PROTOCOL" = on ]; then
    with="$with proxy_protocol"
    SENDER='$proxy_protocol_addr' REAL_IP_HEADER=proxy_protocol
    [ -n "${TRUSTED_PROXIES:-}" ] || fault 'PROXY_PROTOCOL=on needs TRUSTED_PROXIES: the load balancers whose word counts'
  fi
  listener "${OPERATOR_HOST:-}" "$OPERATOR_PORT" '' >"$run/listen-operator.conf"
  if [ "$tls" = 1 ]; then
    listener "${HOST:-}" "$TLS_PORT" "ssl $with" >"$run/listen.conf"
    listener "${HOST:-}" "$PORT" "$with" >"$run/listen-plain.conf"
  else
    listener "${HOST:-}" "$PORT" "$with" >"$run/listen.conf"
  fi
}

check_tls() {
  tls=0
  readable TLS_CERTIFICATE
  readable TLS_KEY
  case "${TLS_CERTIFICATE:+c}${TLS_KEY:+k}" in
    ck) tls=1 ;;
    c) fault 'TLS_CERTIFICATE is set and TLS_KEY is not: set both, or none for plain HTTP' ;;
    k) fault 'TLS_KEY is set and TLS_CERTIFICATE is not: set both, or none for plain HTTP' ;;
  esac
}

check_proxies() {
  : >"$run/trusted.conf"
  : >"$run/trusted-geo.conf"
  for network in $(parts "${TRUSTED_PROXIES:-}"); do
    if fits "$network" "$v4(/[0-9]{1,2})?|$v6(/[0-9]{1,3})?"; then
      echo "set_real_ip_from $network;" >>"$run/trusted.conf"
      echo "$network 1;" >>"$run/trusted-geo.conf"
    else
      fault "TRUSTED_PROXIES must be addresses or networks (10.0.0.0/8), not '$network'"
    fi
  done
  COUNTRY_VARIABLE=
  [ -n "${COUNTRY_HEADER:-}" ] || return 0
  fits "$COUNTRY_HEADER" '[A-Za-z0-9-]{1,64}' || fault "COUNTRY_HEADER must be the name of a header, not '$COUNTRY_HEADER'"
  [ -n "${TRUSTED_PROXIES:-}" ] || fault 'COUNTRY_HEADER needs TRUSTED_PROXIES: from anybody else it would be believed by nobody'
  COUNTRY_VARIABLE="\$http_$(printf '%s' "$COUNTRY_HEADER" | tr 'A-Z-' 'a-z_')"
}

# The regions: who is elsewhere, and which countries belong there.
check_regions() {
  REGION=${REGION:-local}
  fits "$REGION" '[A-Za-z0-9_-]{1,32}' || fault "REGION must be letters, digits, - and _, not '$REGION'"
  REGION_CA=${REGION_CA:-/etc/ssl/certs/ca-certificates.crt}
  regions=' '
  upstreams= urls= names= lookups=
  for one in $(parts "${REGION_UPSTREAMS:-}"); do
    if ! fits "$one" "[A-Za-z0-9_-]{1,32}=(https?://)?($name|\[$v6\]):$port"; then
      fault "REGION_UPSTREAMS must be region=host:port, with https:// or http:// before the host if you like, not '$one'"
      continue
    fi
    region=${one%%=*} target=${one#*=} scheme=https
    case $target in *://*) scheme=${target%%://*} target=${target#*://} ;; esac
    [ "$region" != "$REGION" ] || fault "REGION_UPSTREAMS names $region, which is the REGION of this edge"
    resolve=' resolve'
    ! fits "$target" "($v4|\[$v6\]):$port" || resolve=
    [ -z "$resolve" ] || named=1
    regions="$regions$region "
    # Twice, or nginx never takes the only one for dead, and everybody waits for it.
    upstreams="${upstreams}upstream region_$region {$newline  zone region_$region 128k;$newline"
    upstreams="$upstreams  server $target$resolve max_fails=2 fail_timeout=5s;$newline"
    upstreams="$upstreams  server $target$resolve max_fails=2 fail_timeout=5s;$newline  keepalive 16;$newline}$newline"
    urls="$urls  region_$region $scheme://region_$region;$newline"
    names="$names  region_$region ${target%:*};$newline"
    lookups="$lookups  \"|$region\" region_$region;$newline"
  done
  countries=
  for one in $(parts "${COUNTRY_REGIONS:-}"); do
    # There may be 250: no process for each.
    case $one in
      [A-Z][A-Z]=?*) ;;
      *)
        fault "COUNTRY_REGIONS must be COUNTRY=region with two capital letters, not '$one'"
        continue
        ;;
    esac
    case "$regions$REGION " in
      *" ${one#*=} "*) countries="$countries  ${one%%=*} ${one#*=};$newline" ;;
      *) fault "COUNTRY_REGIONS sends ${one%%=*} to ${one#*=}, which REGION_UPSTREAMS does not name" ;;
    esac
  done
  [ "$regions" = ' ' ] || readable REGION_CA
  {
    printf 'map $country $country_region {\n  default "";\n%s}\n%s' "$countries" "$upstreams"
    printf 'map "$http_x_flotilla_edge|$country_region" $elsewhere {\n  default "";\n%s}\n' "$lookups"
    printf 'map $elsewhere $elsewhere_url {\n  default "";\n%s}\n' "$urls"
    printf 'map $elsewhere $elsewhere_name {\n  default "";\n%s}\n' "$names"
  } >"$run/regions.conf"
}

check_geo() {
  MODULES=${NGINX_MODULES:-/usr/lib/nginx/modules}
  readable GEO_DATABASE
  [ -z "${GEO_DATABASE:-}" ] || [ -r "$MODULES/ngx_http_geoip2_module.so" ] ||
    fault "GEO_DATABASE needs nginx's module geoip2, and there is none in $MODULES (Debian: libnginx-mod-http-geoip2)"
}

# The pages: the web client, those of a volume, or none. What they may load they say themselves, in policy.txt.
check_web() {
  WEB=${WEB:-/app/web}
  case $WEB in
    off | false | no | 0) WEB= ;;
    *) fits "$WEB" '/[A-Za-z0-9._/@+-]*' || fault "WEB must be off, or a path of letters, digits and . _ / @ + -, not '$WEB'" ;;
  esac
  sockets='$own_sockets'
  for origin in $(parts "${WEB_CONNECTS_TO:-}"); do
    fits "$origin" "(https?|wss?)://($name|\[$v6\])(:$port)?" ||
      fault "WEB_CONNECTS_TO must be origins (wss://us.chat.example), not '$origin'"
    sockets="$sockets $origin"
  done
  policy="default-src 'self'; connect-src 'self' https: wss:; img-src 'self' https: data: blob:; media-src 'self' https: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
  if [ -n "$WEB" ] && [ -r "$WEB/policy.txt" ]; then
    policy=$(sed '/^#/d;/^$/d' "$WEB/policy.txt" | paste -sd '|' | sed 's/|/; /g')
    # It stands between quotes, where nginx would take these for its own.
    fits "$policy" '[] !#%-[^-~]+' || fault "WEB: $WEB/policy.txt must be directives of a policy, without \" \$ and \\"
    case $policy in
      *'{sockets}'*) policy="${policy%%'{sockets}'*}$sockets${policy#*'{sockets}'}" ;;
    esac
  fi
  printf '"" "%s";\n' "$policy" >"$run/policy.conf"
}

# 1.27.3 is the first that looks names up again.
check_nginx() {
  version=$("$nginx" -v 2>&1 | sed -n 's/.*nginx\/\([0-9]*\)\.\([0-9]*\)\.\([0-9]*\).*/\1 \2 \3/p')
  [ -n "$version" ] || refuse "  there is no nginx to run ('$nginx')$newline"
  # shellcheck disable=SC2086
  set -- $version
  [ $(($1 * 1000000 + $2 * 1000 + $3)) -ge 1027003 ] || refuse "  nginx $1.$2.$3 is too old: 1.27.3 or newer is needed$newline"
}

render() {
  rm -rf "$run"
  mkdir -p "$run"
  fits "$run" '/[A-Za-z0-9._/@+-]*' || refuse "  TMPDIR must be a path of letters, digits and . _ / @ + -, not '$TMPDIR'$newline"
  # Three times out of three refused within a second: leave it alone for a second.
  servers GATEWAYS gateway:8081 'max_fails=3 fail_timeout=1s' >"$run/gateways.conf"
  servers API api:8080 'max_fails=3 fail_timeout=1s' >"$run/api.conf"
  check_numbers
  check_files
  check_tls
  check_listeners
  check_proxies
  check_regions
  check_resolver
  check_geo
  check_web
  [ -z "$faults" ] || refuse "$faults"

  if [ -n "$WEB" ] && [ -f "$WEB/index.html" ]; then web=web other=noweb; else web=noweb other=web; fi
  if [ -n "${GEO_DATABASE:-}" ]; then geo=geo none=nogeo; else geo=nogeo none=geo; fi
  marks="s/^\( *\)#$web /\1/;/^ *#$other /d;s/^\( *\)#$geo /\1/;/^ *#$none /d"
  brotli=$MODULES/ngx_http_brotli_static_module.so
  if [ -r "$brotli" ]; then marks="$marks;s/^\( *\)#brotli /\1/"; else marks="$marks;/^ *#brotli /d"; fi
  if [ "$tls" = 1 ]; then marks="$marks;s/^\( *\)#tls /\1/"; else marks="$marks;/^ *#tls /d"; fi
  if [ "$regions" != ' ' ]; then marks="$marks;s/^\( *\)#regions /\1/"; else marks="$marks;/^ *#regions /d"; fi
  if [ -n "$COUNTRY_VARIABLE" ]; then marks="$marks;s/^\( *\)#cdn /\1/"; else marks="$marks;/^ *#cdn /d"; fi
  # As the image runs it nobody can become another user. Started by root, the workers would: into files of root's.
  if [ "$(id -u)" = 0 ]; then marks="$marks;s/^#root //"; else marks="$marks;/^#root /d"; fi
  RUN=$run
  for one in RUN MODULES WORKERS WORKER_CONNECTIONS OPEN_FILES KEEP_SOCKETS_SECONDS SENDER REAL_IP_HEADER GEO_DATABASE \
    COUNTRY_VARIABLE COUNTRY_HEADER RESOLVER RESOLVER_VALID_SECONDS RESOLVER_FAMILY REGION REGION_CA WEB \
    REQUESTS_PER_SECOND REQUESTS_BURST CONNECTS_PER_SECOND CONNECTS_BURST SIGN_INS_PER_MINUTE SIGN_IN_RETRY_SECONDS \
    CONNECTIONS_PER_ADDRESS_MAX SOCKETS_PER_ADDRESS_MAX BODY_BYTES_MAX TLS_CERTIFICATE TLS_KEY; do
    eval "value=\${$one:-}"
    marks="$marks;s|@$one@|$value|g"
  done
  sed "$marks" "$here/nginx.conf.template" >"$run/nginx.conf"
}

# One after another, so that their sockets come back in as many waves as there were workers.
end_workers() {
  left=$(cat "/proc/$server/task/$server/children" 2>/dev/null) || left=
  # shellcheck disable=SC2086
  set -- $left
  count=$(($# + 1))
  for worker; do
    wait_for $((STOP_SECONDS / count)) || return 0
    kill -TERM "$worker" 2>/dev/null || :
  done
  wait_for $((STOP_SECONDS - STOP_SECONDS / count * (count - 1))) || return 0
  kill -TERM "$server" 2>/dev/null || :
}
# Waits so many seconds. Fails as soon as nginx has ended.
wait_for() {
  ticks=$(($1 * 5))
  while [ "$ticks" -gt 0 ]; do
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.2
    ticks=$((ticks - 1))
  done
}

stop() {
  trap '' TERM QUIT INT HUP
  stopping=1
  say 30 'stopping: refusing connections, finishing requests'
  [ -z "$watcher" ] || kill "$watcher" 2>/dev/null || :
  kill -QUIT "$server" 2>/dev/null || :
  end_workers
}
reload() {
  say 30 'reloading'
  kill -HUP "$server" 2>/dev/null || :
}

# A renewed certificate is taken without anybody doing anything.
watch_certificate() {
  seen=$(cksum "$TLS_CERTIFICATE" "$TLS_KEY")
  while sleep "$TLS_CHECK_SECONDS"; do
    now=$(cksum "$TLS_CERTIFICATE" "$TLS_KEY" 2>/dev/null) || continue
    [ "$now" != "$seen" ] || continue
    seen=$now
    say 30 'certificate changed; reloading'
    kill -HUP "$server" 2>/dev/null || return 0
  done
}

render
check_nginx
if ! "$nginx" -t -q -e stderr -p "$run" -c "$run/nginx.conf" >"$run/check" 2>&1; then
  refuse "  nginx refuses the configuration:$newline$(sed 's/^/  /' "$run/check")$newline"
fi

# nginx writes its errors into a pipe, and sed takes out what nobody may read in a log. Should sed end, it starts again;
# it ends for good when nobody holds the other end.
mkfifo "$run/errors"
(
  trap '' TERM QUIT INT HUP
  while ! sed -u -f "$here/errors.sed"; do sleep 1; done
) <"$run/errors" >&2 &
filter=$!
exec 3>"$run/errors"
"$nginx" -e stderr -p "$run" -c "$run/nginx.conf" 2>&3 3>&- &
server=$!
exec 3>&-
stopping= watcher=
if [ "$tls" = 1 ]; then
  watch_certificate &
  watcher=$!
fi
trap stop TERM QUIT INT
trap reload HUP
say 30 "edge started in region $REGION with $WORKERS workers"

# A signal ends the wait, not nginx.
while :; do
  status=0
  wait "$server" || status=$?
  kill -0 "$server" 2>/dev/null || break
done
[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || :
wait "$filter" || :
if [ -n "$stopping" ]; then
  say 30 'stopped'
  exit 0
fi
say 60 "nginx exited with $status"
exit 1
