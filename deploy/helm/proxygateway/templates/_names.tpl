{{- define "proxygateway.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "proxygateway.selector" -}}
app.kubernetes.io/name: proxygateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "proxygateway.labels" -}}
{{ include "proxygateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "proxygateway.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* Seconds as the configuration writes times: d.hh:mm:ss. */ -}}
{{- define "proxygateway.duration" -}}
{{- $s := int . -}}
{{- if ge $s 86400 -}}{{ div $s 86400 }}.{{- end -}}
{{- printf "%02d:%02d:%02d" (mod (div $s 3600) 24) (mod (div $s 60) 60) (mod $s 60) -}}
{{- end -}}
