{{/* Names, labels and images: the same everywhere, so that selectors cannot miss. */}}

{{- define "flotilla.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What selectors select by. Never changes: a Deployment's selector is immutable. Takes (list root component). */}}
{{- define "flotilla.selector" -}}
app.kubernetes.io/name: flotilla
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* The labels of every object. Takes (list root component). */}}
{{- define "flotilla.labels" -}}
{{- $root := index . 0 -}}
{{ include "flotilla.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image of Flotilla. Takes (list root image). */}}
{{- define "flotilla.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- with $root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}
{{- else }}:{{ $image.tag | default $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* An image of others. Takes the image. */}}
{{- define "flotilla.foreignImage" -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end -}}

{{/* The full name of a Service. Takes (list root suffix). */}}
{{- define "flotilla.host" -}}
{{- $root := index . 0 -}}
{{ include "flotilla.fullname" $root }}-{{ index . 1 }}.{{ $root.Release.Namespace }}.svc.{{ $root.Values.clusterDomain }}
{{- end -}}

{{/* The Secrets, whoever made them. */}}
{{- define "flotilla.keysSecret" -}}
{{ default (printf "%s-keys" (include "flotilla.fullname" .)) .Values.keys.existingSecret }}
{{- end -}}

{{- define "flotilla.trialSecret" -}}
{{ default (printf "%s-trial" (include "flotilla.fullname" .)) .Values.trial.existingSecret }}
{{- end -}}

{{/* A reference to the key of a Secret with the URL of a store. Takes (list root "postgresql"|"redis"). */}}
{{- define "flotilla.storeRef" -}}
{{- $root := index . 0 -}}
{{- $store := index . 1 -}}
{{- $values := index $root.Values $store -}}
{{- $key := ternary "DATABASE_URL" "REDIS_URL" (eq $store "postgresql") -}}
secretKeyRef:
{{- if eq (include (printf "flotilla.trial.%s" $store) $root) "true" }}
  name: {{ include "flotilla.trialSecret" $root }}
  key: {{ $key }}
{{- else if $values.existingSecret }}
  name: {{ $values.existingSecret }}
  key: {{ $values.key }}
{{- else }}
  name: {{ include "flotilla.fullname" $root }}-{{ $store }}
  key: {{ $key }}
{{- end }}
{{- end -}}

{{/* What is made for a trial. */}}
{{- define "flotilla.trial.postgresql" -}}
{{ or .Values.trial.enabled .Values.trial.postgresql.enabled }}
{{- end -}}
{{- define "flotilla.trial.redis" -}}
{{ or .Values.trial.enabled .Values.trial.redis.enabled }}
{{- end -}}
{{- define "flotilla.trial.files" -}}
{{ or .Values.trial.enabled .Values.trial.files.enabled }}
{{- end -}}

{{/* Whether a Job migrates before the pods start. Otherwise they do it themselves. */}}
{{- define "flotilla.migrationHook" -}}
{{ and .Values.migrations.hook (ne (include "flotilla.trial.postgresql" .) "true") }}
{{- end -}}

{{- define "flotilla.deletionCost" -}}
{{ ternary .Values.autoscaling.enabled .Values.gateway.deletionCost.enabled (kindIs "invalid" .Values.gateway.deletionCost.enabled) }}
{{- end -}}

{{/* How many pods. Takes (list root component). */}}
{{- define "flotilla.replicas" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $given := (index $root.Values $component).replicas -}}
{{- if not (kindIs "invalid" $given) }}{{ int $given }}
{{- else if and (ne $component "gateway") $root.Values.trial.enabled }}1
{{- else if and (eq $component "api") (eq (include "flotilla.trial.files" $root) "true") }}1
{{- else }}2
{{- end -}}
{{- end -}}

{{/* The components that have pods of their own for as long as the release lives. */}}
{{- define "flotilla.components" -}}
gateway api worker{{ if .Values.edge.enabled }} edge{{ end }}
{{- end -}}

{{/* The URL of the fleet, and what follows from it. */}}
{{- define "flotilla.publicUrl" -}}
{{ .Values.publicUrl | default (ternary "http://localhost:8080" "" .Values.trial.enabled) }}
{{- end -}}
{{- define "flotilla.socketUrl" -}}
{{ .Values.regionUrl | default (include "flotilla.publicUrl" .) | replace "https://" "wss://" | replace "http://" "ws://" }}/v1/socket
{{- end -}}
{{- define "flotilla.publicHost" -}}
{{ regexReplaceAll "^https?://([^:/]+).*$" (include "flotilla.publicUrl" .) "${1}" }}
{{- end -}}

{{/* A number of values.yaml as text. Helm reads whole numbers as floats, and prints large ones as 1e+06. */}}
{{- define "flotilla.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ toString . }}{{ end -}}
{{- end -}}
