{{/*
Secrets that are made once. They are hooks that exist in a rendering only while the Secret does not exist in the cluster:
so no upgrade, rollback or uninstallation ever touches one again, and a key that was rotated by hand stays.
*/}}

{{/* Whether templates can ask a cluster. A list of Helm's own kind is never empty there, not even without items. */}}
{{- define "flotilla.onCluster" -}}
{{- if lookup "v1" "Secret" .Release.Namespace "" }}true{{ else }}false{{ end -}}
{{- end -}}

{{/* Whether the keys are to be the chart's own. A trial has no others unless it is given some. */}}
{{- define "flotilla.ownKeys" -}}
{{ or .Values.keys.generated (and .Values.trial.enabled (not .Values.keys.existingSecret) (not .Values.externalSecrets.keys)) }}
{{- end -}}

{{- define "flotilla.generatesKeys" -}}
{{ and (eq (include "flotilla.ownKeys" .) "true") (not (lookup "v1" "Secret" .Release.Namespace (include "flotilla.keysSecret" .))) }}
{{- end -}}

{{- define "flotilla.generatesTrial" -}}
{{- $wanted := has "true" (list (include "flotilla.trial.postgresql" .) (include "flotilla.trial.redis" .)) -}}
{{ and $wanted (not .Values.trial.existingSecret) (not (lookup "v1" "Secret" .Release.Namespace (include "flotilla.trialSecret" .))) }}
{{- end -}}

{{/* A key of a set, by an id of its own: keys of two deployments are never taken for each other. */}}
{{- define "flotilla.newKey" -}}
k{{ randAlphaNum 6 | lower }}:{{ randBytes 32 }}
{{- end -}}
