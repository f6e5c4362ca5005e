{{/* Parts that several templates share. Those of a component take a list: the component's name, and the root context. */}}

{{- define "netqoe.name" -}}
{{ printf "%s-%s" (index . 1).Release.Name (index . 0) }}
{{- end }}

{{- define "netqoe.release" -}}
app.kubernetes.io/name: netqoe
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "netqoe.labels" -}}
{{ include "netqoe.release" (index . 1) }}
app.kubernetes.io/component: {{ index . 0 }}
{{- end }}

{{- define "netqoe.metadata" -}}
name: {{ include "netqoe.name" . }}
namespace: {{ (index . 1).Release.Namespace }}
labels:
  {{- include "netqoe.labels" . | nindent 2 }}
{{- end }}

{{/* What every pod has. enableServiceLinks would set variables that netqoe takes for options. */}}
{{- define "netqoe.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "netqoe.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "netqoe.labels" . | nindent 8 }}
{{- end }}

{{- define "netqoe.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: ["ALL"]
{{- end }}

{{/* Variables of what listens for others and uses the log. */}}
{{- define "netqoe.serverVariables" -}}
- name: NETQOE_LISTEN
  value: "0.0.0.0"
- name: NETQOE_TOKENS_FILE
  value: /etc/netqoe/secrets/tokens
- name: NETQOE_NATS_URL
  value: {{ .Values.nats.url | quote }}
- name: NETQOE_NATS_USER
  value: {{ .Values.nats.user | quote }}
- name: NETQOE_NATS_PASSWORD_FILE
  value: /etc/netqoe/secrets/nats-password
- name: NETQOE_STREAM_REPLICAS
  value: {{ .Values.nats.streamReplicas | quote }}
{{- end }}

{{- define "netqoe.secretsMount" -}}
- name: secrets
  mountPath: /etc/netqoe/secrets
  readOnly: true
{{- end }}

{{/* One file of a Secret: a list of the Secret's name, its key, and the file's name. */}}
{{- define "netqoe.secretFile" -}}
- secret:
    name: {{ index . 0 }}
    items:
      - key: {{ index . 1 }}
        path: {{ index . 2 }}
{{- end }}

{{- define "netqoe.serverSecrets" -}}
{{ include "netqoe.secretFile" (list .Values.secrets.tokens "tokens" "tokens") }}
{{ include "netqoe.secretFile" (list .Values.secrets.nats "password" "nats-password") }}
{{- end }}

{{/* The pod of a command that works on the schema and ends. */}}
{{- define "netqoe.schemaPod" -}}
{{- $command := index . 0 -}}
{{- $root := index . 1 -}}
metadata:
  labels:
    {{- include "netqoe.labels" . | nindent 4 }}
spec:
  restartPolicy: OnFailure
  {{- include "netqoe.pod" $root | nindent 2 }}
  containers:
    - name: {{ $command }}
      args: [{{ $command | quote }}]
      {{- include "netqoe.container" $root | nindent 6 }}
      env:
        - name: NETQOE_CONFIG
          value: /etc/netqoe/secrets/netqoe.toml
        {{- if eq $command "maintain" }}
        - name: NETQOE_RETENTION
          value: {{ $root.Values.maintain.retention | quote }}
        {{- end }}
      resources:
        requests:
          cpu: 100m
          memory: 64Mi
        limits:
          memory: 256Mi
      volumeMounts:
        {{- include "netqoe.secretsMount" $root | nindent 8 }}
  volumes:
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          {{- include "netqoe.secretFile" (list $root.Values.secrets.databaseOwner "netqoe.toml" "netqoe.toml") | nindent 10 }}
{{- end }}
