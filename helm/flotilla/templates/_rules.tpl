{{/*
What must fit together. The schema refuses single values; this refuses combinations, all of them at once and in words
that say what to do. Every rule has its test in tools/fleet/src/chart-refusals.test.ts.
*/}}

{{- define "flotilla.rules" -}}
{{- $faults := concat
  (include "flotilla.rules.stores" . | fromJsonArray)
  (include "flotilla.rules.keys" . | fromJsonArray)
  (include "flotilla.rules.ways" . | fromJsonArray)
  (include "flotilla.rules.scaling" . | fromJsonArray)
  (include "flotilla.rules.settings" . | fromJsonArray) -}}
{{- if $faults }}
{{- fail (printf "\nThe values of flotilla do not fit together:\n- %s\n" (join "\n- " $faults)) }}
{{- end }}
{{- end -}}

{{/* Exactly one of several. Takes (list what names-that-are-set all-names). Gives a sentence or nothing. */}}
{{- define "flotilla.rules.one" -}}
{{- $set := without (index . 1) "" -}}
{{- if not $set }}{{ index . 0 }} is missing: set one of {{ join ", " (index . 2) }}.
{{- else if gt (len $set) 1 }}{{ index . 0 }} is given twice, by {{ join " and " $set }}: keep one of them.
{{- end -}}
{{- end -}}

{{- define "flotilla.rules.stores" -}}
{{- $faults := list -}}
{{- range $store, $title := dict "postgresql" "PostgreSQL" "redis" "Redis" }}
{{- $values := index $.Values $store }}
{{- $names := list (printf "%s.url" $store) (printf "%s.existingSecret" $store) (printf "externalSecrets.%s" $store) (printf "trial.%s.enabled" $store) }}
{{- $set := list
  (ternary (index $names 0) "" (ne $values.url ""))
  (ternary (index $names 1) "" (ne $values.existingSecret ""))
  (ternary (index $names 2) "" (ne (index $.Values.externalSecrets $store) ""))
  (ternary (ternary "trial.enabled" (index $names 3) $.Values.trial.enabled) "" (eq (include (printf "flotilla.trial.%s" $store) $) "true")) }}
{{- $faults = append $faults (include "flotilla.rules.one" (list $title $set $names)) }}
{{- end }}
{{- with .Values.postgresql.url }}
{{- if not (regexMatch "^postgres(ql)?://" .) }}
{{- $faults = append $faults "postgresql.url must begin with postgres:// or postgresql://." }}
{{- end }}
{{- end }}
{{- with .Values.redis.url }}
{{- if not (regexMatch "^rediss?(-cluster|-sentinel)?://" .) }}
{{- $faults = append $faults "redis.url must begin with redis://, redis-cluster:// or redis-sentinel://, or the same with rediss." }}
{{- end }}
{{- end }}
{{- $names := list "storage.s3.bucket" "storage.volume.existingClaim" "trial.files.enabled" }}
{{- $set := list
  (ternary (index $names 0) "" (ne .Values.storage.s3.bucket ""))
  (ternary (index $names 1) "" (ne .Values.storage.volume.existingClaim ""))
  (ternary (ternary "trial.enabled" (index $names 2) .Values.trial.enabled) "" (eq (include "flotilla.trial.files" .) "true")) }}
{{- $faults = append $faults (include "flotilla.rules.one" (list "The place of pictures and uploads" $set $names)) }}
{{- if and (eq (include "flotilla.trial.files" .) "true") (or .Values.api.autoscaling.enabled (gt (include "flotilla.replicas" (list . "api") | int) 1)) }}
{{- $faults = append $faults "trial.files keeps uploads inside of the API's pod, so there can be one API only: leave api.replicas empty and api.autoscaling off, or use a bucket." }}
{{- end }}
{{- if and .Values.externalSecrets.postgresql .Values.migrations.hook }}
{{- $faults = append $faults "externalSecrets.postgresql comes too late for the migrations, which run before anything of the release exists: set migrations.hook=false, or make that ExternalSecret yourself and name its Secret in postgresql.existingSecret." }}
{{- end }}
{{- without $faults "" | toJson -}}
{{- end -}}

{{- define "flotilla.rules.keys" -}}
{{- $faults := list -}}
{{- $names := list "keys.existingSecret" "keys.generated" "externalSecrets.keys" -}}
{{- $set := list
  (ternary (index $names 0) "" (ne .Values.keys.existingSecret ""))
  (ternary (index $names 1) "" (eq (include "flotilla.ownKeys" .) "true"))
  (ternary (index $names 2) "" (ne .Values.externalSecrets.keys "")) }}
{{- $faults = append $faults (include "flotilla.rules.one" (list "The place of the keys" $set $names)) }}
{{- if and (or .Values.externalSecrets.keys .Values.externalSecrets.postgresql .Values.externalSecrets.redis) (not .Values.externalSecrets.secretStore) }}
{{- $faults = append $faults "externalSecrets.secretStore is missing: name the store that the External Secrets Operator reads." }}
{{- end }}
{{- if eq (include "flotilla.ownKeys" .) "true" }}
{{- if ne (include "flotilla.onCluster" .) "true" }}
{{- $faults = append $faults "keys.generated works only where Helm talks to the cluster: helm template, a dry run on the client and GitOps tools would make new keys at every rendering, and with a new MASTER_KEYS no stored message can be read. Make the Secret once, as docs/deploy.md says, and name it in keys.existingSecret." }}
{{- else if and .Release.IsUpgrade (eq (include "flotilla.generatesKeys" .) "true") }}
{{- $faults = append $faults (printf "The Secret %s with the generated keys is gone from the namespace %s. New keys could not read the stored messages: restore it from your backup before the upgrade." (include "flotilla.keysSecret" .) .Release.Namespace) }}
{{- end }}
{{- end }}
{{- if and (eq (include "flotilla.generatesTrial" .) "true") (ne (include "flotilla.onCluster" .) "true") }}
{{- $faults = append $faults "The passwords of the trial's stores are made only where Helm talks to the cluster: here name a Secret in trial.existingSecret." }}
{{- end }}
{{- without $faults "" | toJson -}}
{{- end -}}

{{- define "flotilla.rules.ways" -}}
{{- $faults := list -}}
{{- $edge := .Values.edge -}}
{{- if not (include "flotilla.publicUrl" .) }}
{{- $faults = append $faults "publicUrl is missing: the URL under which browsers and apps reach the fleet, https://chat.example.org." }}
{{- else if not (regexMatch "^https?://[A-Za-z0-9.-]+(:[0-9]+)?$" (include "flotilla.publicUrl" .)) }}
{{- $faults = append $faults (printf "publicUrl (%s) must be http:// or https:// and a host, perhaps with a port, and no path: https://chat.example.org." .Values.publicUrl) }}
{{- end }}
{{- if and .Values.regionUrl (not (regexMatch "^https?://[A-Za-z0-9.-]+(:[0-9]+)?$" .Values.regionUrl)) }}
{{- $faults = append $faults (printf "regionUrl (%s) must be http:// or https:// and a host, perhaps with a port, and no path: https://eu.chat.example.org." .Values.regionUrl) }}
{{- end }}
{{- if and $edge.enabled (or .Values.ingress.enabled .Values.httpRoute.enabled) (not $edge.trustedProxies) }}
{{- $faults = append $faults "edge.trustedProxies is missing: behind an Ingress or HTTPRoute all clients have the controller's address, and share the limits of one. Name the networks of its pods, or set edge.enabled=false." }}
{{- end }}
{{- if and $edge.proxyProtocol (or .Values.ingress.enabled .Values.httpRoute.enabled) }}
{{- $faults = append $faults "edge.proxyProtocol is for a load balancer right in front: an Ingress or HTTPRoute speaks HTTP to the edge." }}
{{- end }}
{{- if and $edge.proxyProtocol (not $edge.trustedProxies) }}
{{- $faults = append $faults "edge.trustedProxies is missing: the PROXY protocol is believed from these networks only." }}
{{- end }}
{{- if and $edge.countryHeader (not $edge.trustedProxies) }}
{{- $faults = append $faults "edge.trustedProxies is missing: edge.countryHeader is believed from these networks only." }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- $faults = append $faults "httpRoute.parentRefs is missing: name the Gateway that the route belongs to." }}
{{- end }}
{{- range $country, $region := $edge.countryRegions }}
{{- if and (ne $region $.Values.region) (not (hasKey $edge.regionUpstreams $region)) }}
{{- $faults = append $faults (printf "edge.countryRegions sends %s to %s, which is neither this region (%s) nor in edge.regionUpstreams." $country $region $.Values.region) }}
{{- end }}
{{- end }}
{{- if hasKey $edge.regionUpstreams .Values.region }}
{{- $faults = append $faults (printf "edge.regionUpstreams names %s, which is this region: only others belong there." .Values.region) }}
{{- end }}
{{- if and $edge.countryRegions (not $edge.countryHeader) (not $edge.geoDatabase.volume) }}
{{- $faults = append $faults "edge.countryRegions needs a way to know the country: set edge.geoDatabase.volume or edge.countryHeader." }}
{{- end }}
{{- $regions := list }}
{{- range .Values.regions }}{{ $regions = append $regions (splitList ":" . | first) }}{{ end }}
{{- if and $regions (not (has .Values.region $regions)) }}
{{- $faults = append $faults (printf "regions does not name this region, %s." .Values.region) }}
{{- end }}
{{- with .Values.push.webPush }}
{{- $given := without (list .publicKey .subject .existingSecret) "" | len }}
{{- if not (has $given (list 0 3)) }}
{{- $faults = append $faults "push.webPush needs publicKey, subject and existingSecret, all three or none." }}
{{- end }}
{{- end }}
{{- if and .Values.priorityClass.create (not .Values.priorityClass.name) }}
{{- $faults = append $faults "priorityClass.name is missing: what the PriorityClass that is made shall be called." }}
{{- end }}
{{- if and .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled }}
{{- $faults = append $faults "monitoring.serviceMonitor and monitoring.podMonitor would scrape everything twice: keep one of them." }}
{{- end }}
{{- if and .Values.monitoring.prometheusRule.enabled (not (.Files.Get "alerts/flotilla.yaml")) }}
{{- $faults = append $faults "monitoring.prometheusRule needs alerts/flotilla.yaml, which this copy of the chart lacks." }}
{{- end }}
{{- $faults | toJson -}}
{{- end -}}

{{- define "flotilla.rules.scaling" -}}
{{- $faults := list -}}
{{- $grace := include "flotilla.gateway.grace" . | int -}}
{{- with .Values.autoscaling }}
{{- if .enabled }}
{{- if not (kindIs "invalid" $.Values.gateway.replicas) }}
{{- $faults = append $faults "gateway.replicas and autoscaling.enabled contradict each other: leave gateway.replicas empty, and set autoscaling.min." }}
{{- end }}
{{- if gt (int .min) (int .max) }}
{{- $faults = append $faults (printf "autoscaling.min (%d) is above autoscaling.max (%d)." (int .min) (int .max)) }}
{{- end }}
{{- if ge (int .connectionsPerGateway) (int $.Values.gateway.connectionsMax) }}
{{- $faults = append $faults (printf "autoscaling.connectionsPerGateway (%d) must be below gateway.connectionsMax (%d): a full gateway turns people away before the autoscaler sees a reason to grow." (int .connectionsPerGateway) (int $.Values.gateway.connectionsMax)) }}
{{- end }}
{{- range $value := list "windowSeconds" "periodSeconds" }}
{{- $seconds := index $.Values.autoscaling.scaleDown $value | int }}
{{- if lt $seconds $grace }}
{{- $faults = append $faults (printf "autoscaling.scaleDown.%s (%d) must be at least the grace period of a gateway (%d): connections of a gateway that ends are not counted, so the next would go too early. Raise it, or lower gateway.drainMs." $value $seconds $grace) }}
{{- end }}
{{- end }}
{{- if and (eq .engine "keda") (not .keda.prometheusUrl) }}
{{- $faults = append $faults "autoscaling.keda.prometheusUrl is missing: KEDA asks Prometheus itself." }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.api.autoscaling }}
{{- if .enabled }}
{{- if not (kindIs "invalid" $.Values.api.replicas) }}
{{- $faults = append $faults "api.replicas and api.autoscaling.enabled contradict each other: leave api.replicas empty, and set api.autoscaling.min." }}
{{- end }}
{{- if gt (int .min) (int .max) }}
{{- $faults = append $faults (printf "api.autoscaling.min (%d) is above api.autoscaling.max (%d)." (int .min) (int .max)) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.gateway.deletionCost.admissionPolicy (ne (include "flotilla.deletionCost" .) "true") }}
{{- $faults = append $faults "gateway.deletionCost.admissionPolicy narrows a permission that gateways do not have: turn gateway.deletionCost.enabled on, or the policy off." }}
{{- end }}
{{- $faults | toJson -}}
{{- end -}}

{{/* Settings that the chart derives itself: given twice, the second would win and contradict the rest. */}}
{{- define "flotilla.ownedSettings" -}}
ALLOWED_ORIGINS: allowedOrigins
API: edge
BODY_BYTES_MAX: edge.bodyBytesMax
CONNECTIONS_MAX: gateway.connectionsMax
CONNECTIONS_PER_ADDRESS_MAX: edge.connectionsPerAddressMax
CONNECTS_BURST: edge.connectsBurst
CAPTCHA_SECRET: providers
COOKIE_SECURE: publicUrl
COUNTRY_HEADER: edge
COUNTRY_REGIONS: edge.countryRegions
DATABASE_URL: postgresql
DELETION_COST: gateway.deletionCost
DEPLOYMENT_NAME: deploymentName
DRAIN_MS: gateway.drainMs
DRAIN_WAIT_MS: api.drainWaitMs
FCM_ACCOUNT: push.fcm
GATEWAYS: edge
GATEWAY_URLS: publicUrl
GEO_DATABASE: edge.geoDatabase
GITHUB_CLIENT_ID: providers
GITHUB_CLIENT_SECRET: providers
GOOGLE_CLIENT_ID: providers
GOOGLE_CLIENT_SECRET: providers
HOST: the pod
LOG_LEVEL: logLevel
MAIL: mail
MAIL_FROM: mail.from
MASTER_KEYS: keys
MIGRATE: migrations.hook
NODE_ID: the pod's name
OIDC_PROVIDERS: providers
OPERATOR_HOST: the pod
OPERATOR_PORT: the pod
POD_NAME: gateway.deletionCost
POD_NAMESPACE: gateway.deletionCost
PORT: the pod
PROXY_PROTOCOL: edge.proxyProtocol
PUBLIC_URL: publicUrl
REDIS_URL: redis
REFRESH_KEYS: keys
REGION: region
REGIONS: regions
REGION_UPSTREAMS: edge.regionUpstreams
REQUESTS_BURST: edge.requestsBurst
REQUESTS_PER_SECOND: edge.requestsPerSecond
REQUEST_MS_MAX: api.requestMsMax
S3_ACCESS_KEY_ID: storage.s3
S3_BUCKET: storage.s3
S3_ENDPOINT: storage.s3
S3_PATH_STYLE: storage.s3
S3_REGION: storage.s3
S3_SECRET_ACCESS_KEY: storage.s3
SIGN_INS_PER_MINUTE: edge.signInsPerMinute
SMTP_URL: mail
SOCKETS_PER_ADDRESS_MAX: edge.socketsPerAddressMax
STOP_SECONDS: edge.drainSeconds
STOP_MS_MAX: worker.stopMs
STORAGE_FOLDER: storage
TICKET_KEYS: keys
TLS_CERTIFICATE: edge.tls
TLS_KEY: edge.tls
TOKEN_KEYS: keys
TRACES_ONE_IN: tracing
TRACES_URL: tracing
TRUSTED_PROXIES: api.trustedProxies and edge.trustedProxies
VAPID_PRIVATE_KEY: push.webPush
VAPID_PUBLIC_KEY: push.webPush
VAPID_SUBJECT: push.webPush
WEB: edge.web.enabled
WEB_CONNECTS_TO: edge.web.connectsTo
WORKERS: edge.workers
WORKER_CONNECTIONS: edge.workerConnections
{{- end -}}

{{- define "flotilla.rules.settings" -}}
{{- $faults := list -}}
{{- $owned := include "flotilla.ownedSettings" . | fromYaml -}}
{{- range $component := list "gateway" "api" "worker" "edge" }}
{{- $values := index $.Values $component }}
{{- /* Without the edge it is whatever stands there instead that names the country. */}}
{{- $owned := ternary (omit $owned "COUNTRY_HEADER") $owned (and (eq $component "api") (not $.Values.edge.enabled)) }}
{{- /* The edge has its own of that name. */}}
{{- $owned := ternary (omit $owned "SOCKETS_PER_ADDRESS_MAX") $owned (eq $component "gateway") }}
{{- range $name, $_ := $values.settings }}
{{- with index $owned $name }}
{{- $faults = append $faults (printf "%s.settings.%s is derived from something else: see %s." $component $name .) }}
{{- end }}
{{- end }}
{{- range $values.extraEnv }}
{{- $name := .name }}
{{- with index $owned $name }}
{{- $faults = append $faults (printf "%s.extraEnv names %s, which is derived from something else: see %s." $component $name .) }}
{{- end }}
{{- if hasKey (default dict $values.settings) $name }}
{{- $faults = append $faults (printf "%s is given twice, by %s.settings and %s.extraEnv: keep one of them." $name $component $component) }}
{{- end }}
{{- end }}
{{- end }}
{{- $faults | toJson -}}
{{- end -}}
