{{- define "interlink.labels" -}}
app.kubernetes.io/name: interlink
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end -}}

{{- define "interlink.selector" -}}
app.kubernetes.io/name: interlink
app.kubernetes.io/instance: {{ .Release.Name | quote }}
interlink/node: {{ .Values.nodeName | quote }}
{{- end -}}

{{/* requests and limits, of {CPU: {request, limit}, memory: {request, limit}} */}}
{{- define "interlink.resources" -}}
requests:
  cpu: {{ .CPU.request | quote }}
  memory: {{ .memory.request | quote }}
limits:
  memory: {{ .memory.limit | quote }}
{{- if .CPU.limit }}
  cpu: {{ .CPU.limit | quote }}
{{- end }}
{{- end -}}

{{- define "interlink.container" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where the API server finds the plugin. */}}
{{- define "interlink.pluginUrl" -}}
{{- if .Values.plugin.socket -}}
{{ .Values.plugin.socket }}
{{- else if .Values.interlink.pluginEndpoint.url -}}
{{ .Values.interlink.pluginEndpoint.url }}
{{- else -}}
{{ .Values.plugin.address | default "http://localhost" }}
{{- end -}}
{{- end -}}

{{- define "interlink.pluginPort" -}}
{{- if and .Values.interlink.pluginEndpoint.url (not .Values.plugin.socket) -}}
{{ .Values.interlink.pluginEndpoint.port }}
{{- else -}}
{{ .Values.plugin.port }}
{{- end -}}
{{- end -}}

{{/* Of unix:///directory/file. */}}
{{- define "interlink.socketDirectory" -}}
{{- if . -}}
{{- dir (trimPrefix "unix://" .) -}}
{{- end -}}
{{- end -}}

{{- define "interlink.serverSocketMount" -}}
{{- if .Values.interlink.socket -}}
- name: sockets
  mountPath: {{ include "interlink.socketDirectory" .Values.interlink.socket | quote }}
{{- end -}}
{{- end -}}

{{/* Both sockets may lie in one directory. */}}
{{- define "interlink.pluginSocketMount" -}}
{{- if .Values.plugin.socket -}}
{{- $directory := include "interlink.socketDirectory" .Values.plugin.socket -}}
{{- if ne $directory (include "interlink.socketDirectory" .Values.interlink.socket) -}}
- name: plugin-sockets
  mountPath: {{ $directory | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "interlink.tls" -}}
{{- if .Values.interlink.tls.enabled -}}
TLS:
  Enabled: true
  {{- if .Values.interlink.tls.certFile }}
  CertFile: {{ .Values.interlink.tls.certFile | quote }}
  {{- end }}
  {{- if .Values.interlink.tls.keyFile }}
  KeyFile: {{ .Values.interlink.tls.keyFile | quote }}
  {{- end }}
  {{- if .Values.interlink.tls.caCertFile }}
  CACertFile: {{ .Values.interlink.tls.caCertFile | quote }}
  {{- end }}
{{- end -}}
{{- end -}}
