{{/* What all pods have in common. */}}

{{/* Labels and annotations of a pod. Takes (list root component annotations). */}}
{{- define "flotilla.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
labels:
  {{- include "flotilla.labels" (list $root $component) | nindent 2 }}
  {{- with $root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := merge dict (index . 2) (index $root.Values $component).podAnnotations $root.Values.podAnnotations }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where a pod runs and as whom. Takes (list root component). */}}
{{- define "flotilla.podCommon" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
serviceAccountName: {{ include "flotilla.fullname" $root }}-{{ $component }}
automountServiceAccountToken: {{ and (eq $component "gateway") (eq (include "flotilla.deletionCost" $root) "true") }}
{{ include "flotilla.podSecurity" $root }}
{{- $priority := $values.priorityClassName }}
{{- if ne $component "worker" }}{{ $priority = $priority | default $root.Values.priorityClass.name }}{{ end }}
{{- with $priority }}
priorityClassName: {{ . }}
{{- end }}
{{- if or $root.Values.topologySpread.zone $root.Values.topologySpread.host }}
topologySpreadConstraints:
  {{- with $root.Values.topologySpread.zone }}
  - topologyKey: topology.kubernetes.io/zone
    {{- include "flotilla.spread" (list $root $component .) | nindent 4 }}
  {{- end }}
  {{- with $root.Values.topologySpread.host }}
  - topologyKey: kubernetes.io/hostname
    {{- include "flotilla.spread" (list $root $component .) | nindent 4 }}
  {{- end }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The pods of one revision are spread, on nodes that they may run on: old ones do not count while a roll-out runs. */}}
{{- define "flotilla.spread" -}}
maxSkew: 1
whenUnsatisfiable: {{ index . 2 }}
nodeTaintsPolicy: Honor
matchLabelKeys: [pod-template-hash]
labelSelector:
  matchLabels:
    {{- include "flotilla.selector" (list (index . 0) (index . 1)) | nindent 4 }}
{{- end -}}

{{/* Restricted Pod Security, for pods of Flotilla's own images. */}}
{{- define "flotilla.podSecurity" -}}
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- if not (kindIs "invalid" .Values.runAsUser) }}
  runAsUser: {{ int64 .Values.runAsUser }}
  runAsGroup: {{ int64 .Values.runAsUser }}
  fsGroup: {{ int64 .Values.runAsUser }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "flotilla.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/*
The probes of a process. /healthz says only that it turns over, so neither startup nor liveness ever kills for a store
that is away; /readyz takes it out of the Service, never for load.
*/}}
{{- define "flotilla.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: operator}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: operator}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: operator}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{/* Volumes and mounts. Takes (list root component). */}}
{{- define "flotilla.mounts" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if and (has $component (list "api" "worker")) (eq (include "flotilla.storage.folder" $root) "true") }}
  - {name: files, mountPath: /files}
  {{- end }}
  {{- with (index $root.Values $component).extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "flotilla.volumes" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
  {{- if and (has $component (list "api" "worker")) (eq (include "flotilla.storage.folder" $root) "true") }}
  - name: files
    {{- if $root.Values.storage.volume.existingClaim }}
    persistentVolumeClaim: {claimName: {{ $root.Values.storage.volume.existingClaim }}}
    {{- else }}
    emptyDir: {sizeLimit: 2Gi}
    {{- end }}
  {{- end }}
  {{- with (index $root.Values $component).extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "flotilla.storage.folder" -}}
{{ or (ne .Values.storage.volume.existingClaim "") (eq (include "flotilla.trial.files" .) "true") }}
{{- end -}}
