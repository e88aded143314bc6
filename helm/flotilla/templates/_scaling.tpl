{{/* How the number of gateways moves: up at once, down by one at a time, and never before the one before has gone. */}}
{{- define "flotilla.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies:
    - {type: Percent, value: {{ .Values.autoscaling.scaleUp.percent }}, periodSeconds: {{ .Values.autoscaling.scaleUp.periodSeconds }}}
scaleDown:
  stabilizationWindowSeconds: {{ .Values.autoscaling.scaleDown.windowSeconds }}
  policies:
    - {type: Pods, value: 1, periodSeconds: {{ .Values.autoscaling.scaleDown.periodSeconds }}}
{{- end -}}

{{/*
The line `replicas` of a Deployment that an autoscaler scales. Left out, as is usual, it is safe only where the autoscaler
has already taken the field over from Helm; otherwise Kubernetes would put 1 there, and all pods but one would go at once.
So where Helm talks to the cluster it repeats the number that is there. Takes (list root name min).
*/}}
{{- define "flotilla.scaledReplicas" -}}
{{- $root := index . 0 -}}
{{- $live := lookup "apps/v1" "Deployment" $root.Release.Namespace (index . 1) -}}
{{- if $live }}
{{- $applied := false }}
{{- $helms := false }}
{{- $scaled := false }}
{{- range $live.metadata.managedFields }}
{{- $owns := dig "fieldsV1" "f:spec" "f:replicas" false . | kindIs "map" }}
{{- if and (eq .operation "Apply") (eq .manager "helm") }}{{ $applied = true }}{{ $helms = $owns }}{{ end }}
{{- if and $owns (eq (get . "subresource") "scale") }}{{ $scaled = true }}{{ end }}
{{- end }}
{{- if not (and $applied $scaled (not $helms)) -}}
replicas: {{ int $live.spec.replicas }}
{{- end }}
{{- else if eq (include "flotilla.onCluster" $root) "true" -}}
replicas: {{ index . 2 }}
{{- end }}
{{- end -}}
