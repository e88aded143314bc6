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
