{{/* Rules of NetworkPolicies. Each names what for. */}}

{{- define "flotilla.ports" -}}
{{- range . }}
- {protocol: TCP, port: {{ int . }}}
{{- end }}
{{- end -}}

{{/* Pods of this release. Takes (list root components). */}}
{{- define "flotilla.peers" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: flotilla
      app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
    matchExpressions:
      - {key: app.kubernetes.io/component, operator: In, values: {{ toJson (index . 1) }}}
{{- end -}}

{{- define "flotilla.egress.dns" -}}
# DNS
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end -}}

{{/* A store. Takes (list root "postgresql"|"redis"). */}}
{{- define "flotilla.egress.store" -}}
{{- $root := index . 0 -}}
{{- $store := index . 1 -}}
{{- $title := ternary "PostgreSQL" "Redis" (eq $store "postgresql") -}}
{{- if eq (include (printf "flotilla.trial.%s" $store) $root) "true" -}}
# {{ $title }}
- to:
    {{- include "flotilla.peers" (list $root (list $store)) | nindent 4 }}
  ports: {{- include "flotilla.ports" (list (ternary 5432 6379 (eq $store "postgresql"))) | trim | nindent 4 }}
{{- else -}}
{{ include "flotilla.egress.anywhere" (list $root $store $title) }}
{{- end }}
{{- end -}}

{{/* Something whose place nobody knows before it is said: then its ports alone count. Takes (list root name title). */}}
{{- define "flotilla.egress.anywhere" -}}
{{- $rule := index (index . 0).Values.networkPolicy (index . 1) -}}
# {{ index . 2 }}
- ports: {{- include "flotilla.ports" $rule.ports | trim | nindent 4 }}
  {{- with $rule.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "flotilla.egress.traces" -}}
{{- if .Values.tracing.url }}
{{- include "flotilla.egress.anywhere" (list . "traces" "the collector of traces") }}
{{- end }}
{{- end -}}

{{/* Something outside, on the internet unless it is said where. Takes (list root name title). */}}
{{- define "flotilla.egress.outside" -}}
{{- $root := index . 0 -}}
{{- $rule := index $root.Values.networkPolicy (index . 1) -}}
# {{ index . 2 }}
- to:
    {{- toYaml ($rule.to | default $root.Values.networkPolicy.internet) | nindent 4 }}
  ports: {{- include "flotilla.ports" $rule.ports | trim | nindent 4 }}
{{- end -}}

{{/* Who scrapes the operator port. Takes (list root port). */}}
{{- define "flotilla.ingress.operator" -}}
{{- with (index . 0).Values.networkPolicy.monitoring }}
# Prometheus
- from:
    {{- toYaml . | nindent 4 }}
  ports: {{- include "flotilla.ports" (list (index $ 1)) | trim | nindent 4 }}
{{- end }}
{{- end -}}

{{/* Who reaches gateways and APIs: the edge alone, or, without it, whatever the Ingress or HTTPRoute runs in. */}}
{{- define "flotilla.ingress.clients" -}}
{{- if .Values.edge.enabled }}
from:
  {{- include "flotilla.peers" (list . (list "edge" "test")) | nindent 2 }}
{{- else if .Values.networkPolicy.routes }}
from:
  {{- include "flotilla.peers" (list . (list "test")) | nindent 2 }}
  {{- toYaml .Values.networkPolicy.routes | nindent 2 }}
{{- end }}
{{- end -}}
