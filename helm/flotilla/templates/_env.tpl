{{/* The settings of the processes, by docs/configuration.md. */}}

{{/* What a process of Node has from all of them. Takes (list root component). */}}
{{- define "flotilla.commonEnv" -}}
{{- $root := index . 0 -}}
- name: NODE_ID
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: REGION, value: {{ $root.Values.region | quote }}}
- {name: OPERATOR_HOST, value: "0.0.0.0"}
- {name: LOG_LEVEL, value: {{ $root.Values.logLevel }}}
{{- with $root.Values.tracing.url }}
- {name: TRACES_URL, value: {{ . | quote }}}
- {name: TRACES_ONE_IN, value: {{ int64 $root.Values.tracing.oneIn | quote }}}
{{- end }}
- {name: MIGRATE, value: {{ ne (include "flotilla.migrationHook" $root) "true" | quote }}}
- name: DATABASE_URL
  valueFrom:
    {{- include "flotilla.storeRef" (list $root "postgresql") | nindent 4 }}
- name: REDIS_URL
  valueFrom:
    {{- include "flotilla.storeRef" (list $root "redis") | nindent 4 }}
{{- end -}}

{{/* Keys of the Secret with the keys. Takes (list root names). */}}
{{- define "flotilla.keysEnv" -}}
{{- $secret := include "flotilla.keysSecret" (index . 0) -}}
{{- range index . 1 }}
- name: {{ . }}
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ . }}}}
{{- end }}
{{- end -}}

{{/* A setting from the key of an existing Secret. Takes (list name secret key). */}}
{{- define "flotilla.secretEnv" -}}
- name: {{ index . 0 }}
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}}
{{- end -}}

{{/* Where pictures and uploads lie: API and worker. */}}
{{- define "flotilla.storageEnv" -}}
{{- with .Values.storage.s3 }}
{{- if .bucket }}
- {name: S3_BUCKET, value: {{ .bucket | quote }}}
- {name: S3_REGION, value: {{ .region | quote }}}
{{- if .endpoint }}
- {name: S3_ENDPOINT, value: {{ .endpoint | quote }}}
{{- end }}
{{- if .pathStyle }}
- {name: S3_PATH_STYLE, value: "true"}
{{- end }}
{{- if .existingSecret }}
{{ include "flotilla.secretEnv" (list "S3_ACCESS_KEY_ID" .existingSecret "S3_ACCESS_KEY_ID") }}
{{ include "flotilla.secretEnv" (list "S3_SECRET_ACCESS_KEY" .existingSecret "S3_SECRET_ACCESS_KEY") }}
{{- end }}
{{- end }}
{{- end }}
{{- if eq (include "flotilla.storage.folder" .) "true" }}
- {name: STORAGE_FOLDER, value: /files}
{{- end }}
{{- end -}}

{{/* Web Push's public key goes to API and worker. */}}
{{- define "flotilla.vapidEnv" -}}
{{- with .Values.push.webPush.publicKey }}
- {name: VAPID_PUBLIC_KEY, value: {{ . | quote }}}
{{- end }}
{{- end -}}

{{/* Further settings, and whatever else is asked for. Takes (list root component). */}}
{{- define "flotilla.furtherEnv" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
{{- range $name, $value := $values.settings }}
- {name: {{ $name }}, value: {{ include "flotilla.text" $value | quote }}}
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Origins of web pages: the fleet's own, and those that are named. */}}
{{- define "flotilla.allowedOrigins" -}}
{{- prepend .Values.allowedOrigins (include "flotilla.publicUrl" .) | uniq | join "," -}}
{{- end -}}

{{/* Where the page connects to besides the host that it came from: sockets at regionUrl, the bucket that takes pictures. */}}
{{- define "flotilla.webConnectsTo" -}}
{{- $origins := list -}}
{{- if .Values.regionUrl }}
{{- $origins = append $origins (include "flotilla.socketUrl" . | trimSuffix "/v1/socket") }}
{{- end }}
{{- with .Values.storage.s3 }}
{{- if .bucket }}
{{- $server := .endpoint | default (printf "https://s3.%s.amazonaws.com" .region) }}
{{- $origin := regexFind "^https?://[^/]+" $server }}
{{- $origins = append $origins (ternary $origin ($origin | replace "://" (printf "://%s." .bucket)) (or .pathStyle (contains "." .bucket))) }}
{{- end }}
{{- end }}
{{- concat $origins .Values.edge.web.connectsTo | uniq | join "," -}}
{{- end -}}

{{/* A checksum of what the chart itself puts into Secrets: pods roll when a URL changes. */}}
{{- define "flotilla.secretsChecksum" -}}
{{- list .Values.postgresql.url .Values.redis.url | toJson | sha256sum -}}
{{- end -}}

{{/* `{DE: eu}` as `DE=eu`. */}}
{{- define "flotilla.pairs" -}}
{{- $pairs := list -}}
{{- range $name, $value := . }}{{ $pairs = append $pairs (printf "%s=%s" $name $value) }}{{ end -}}
{{- join "," $pairs -}}
{{- end -}}
