{{/*
How long things take. Everything that must fit together is computed here from two values of each component, so that it
cannot contradict itself. In seconds.
*/}}

{{/* From the moment that a pod is told to end to that when its clients have moved: preStop, then the drain. */}}
{{- define "flotilla.gateway.leaving" -}}
{{ add .Values.gateway.preStopSeconds (divf .Values.gateway.drainMs 1000 | ceil) }}
{{- end -}}

{{/* The process gives up 15 s after its drain should be done; 10 s more for a slow machine. */}}
{{- define "flotilla.gateway.grace" -}}
{{ add (include "flotilla.gateway.leaving" . | int) 25 }}
{{- end -}}

{{/*
Pods that end are not counted by a Deployment, so a surge alone paces nothing: the next gateway would be told to end as
soon as a new one is ready. A new one counts only after the one before it has moved its clients.
*/}}
{{- define "flotilla.gateway.minReady" -}}
{{ include "flotilla.gateway.leaving" . }}
{{- end -}}

{{/* Waits, answers what is under way, and has 15 s for the rest; 10 s more. */}}
{{- define "flotilla.api.grace" -}}
{{ add (divf .Values.api.drainWaitMs 1000 | ceil) (divf .Values.api.requestMsMax 1000 | ceil) 25 }}
{{- end -}}

{{/* The process gives up 30 s after STOP_MS_MAX; 10 s more. */}}
{{- define "flotilla.worker.grace" -}}
{{ add (divf .Values.worker.stopMs 1000 | ceil) 40 }}
{{- end -}}

{{- define "flotilla.edge.grace" -}}
{{ add .Values.edge.preStopSeconds .Values.edge.drainSeconds 10 }}
{{- end -}}
