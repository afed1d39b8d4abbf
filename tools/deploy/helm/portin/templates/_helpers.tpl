{{- define "portin.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "portin.selector" -}}
app.kubernetes.io/name: portin
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "portin.labels" -}}
{{ include "portin.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "portin.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* What a container needs to read its settings and its secrets. */}}
{{- define "portin.container" -}}
image: {{ include "portin.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: settings, mountPath: /etc/portin, readOnly: true}
  - {name: secrets, mountPath: /run/secrets/portin, readOnly: true}
{{- if .Values.carrier.accountsSecret }}
  - {name: accounts, mountPath: /run/secrets/portin-accounts, readOnly: true}
{{- end }}
{{- end -}}

{{- define "portin.pod" -}}
serviceAccountName: {{ include "portin.name" . }}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: settings
    configMap: {name: {{ get . "settingsName" | default (include "portin.name" .) }}}
  {{- with .Values.carrier.accountsSecret }}
  - name: accounts
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        - secret:
            name: {{ required "ledger.existingSecret: name a secret with the URL of the ledger's database" .Values.ledger.existingSecret }}
            items:
              - {key: {{ .Values.ledger.key }}, path: ledger-url}
              {{- with .Values.ledger.caKey }}
              - {key: {{ . }}, path: ledger-ca.crt}
              {{- end }}
        {{- if not .Values.carrier.accountsSecret }}
        - secret:
            name: {{ required "carrier.existingSecret: name a secret with the password for the carrier, or carrier.accountsSecret one with several accounts" .Values.carrier.existingSecret }}
            items: [{key: {{ .Values.carrier.key }}, path: carrier-password}]
        {{- end }}
        {{- with .Values.tls.existingSecret }}
        - secret:
            name: {{ . }}
            items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]
        {{- end }}
        {{- with .Values.tls.clientCASecret }}
        - secret:
            name: {{ . }}
            items: [{key: ca.crt, path: client-ca.crt}]
        {{- end }}
        {{- with .Values.auth.existingSecret }}
        - secret:
            name: {{ . }}
            items: [{key: callers.yaml, path: callers.yaml}]
        {{- end }}
{{- end -}}

{{/* The settings file, of the values and of what this chart makes. */}}
{{- define "portin.settings" -}}
{{- $made := dict
  "grpc" (dict "address" "0.0.0.0:50051")
  "http" (dict "address" "0.0.0.0:8080")
  "admin" (dict "address" "0.0.0.0:9090" "insecure-listen" true)
  "ledger" (dict "url-file" "/run/secrets/portin/ledger-url")
  "carrier" (ternary (dict "accounts-file" "/run/secrets/portin-accounts/accounts.yaml") (dict "password-file" "/run/secrets/portin/carrier-password") (not (empty .Values.carrier.accountsSecret)))
  "shutdown-delay" .Values.shutdown.delay
  "shutdown-timeout" .Values.shutdown.timeout
-}}
{{- if .Values.tls.existingSecret }}
{{- $_ := set $made "tls" (dict "cert-file" "/run/secrets/portin/tls.crt" "key-file" "/run/secrets/portin/tls.key") }}
{{- if .Values.tls.clientCASecret }}
{{- $_ := set $made.tls "client-ca-file" "/run/secrets/portin/client-ca.crt" }}
{{- end }}
{{- end }}
{{- if .Values.auth.existingSecret }}
{{- $_ := set $made "auth" (dict "callers-file" "/run/secrets/portin/callers.yaml") }}
{{- end }}
{{- if .Values.insecureListen }}
{{- $_ := set $made "insecure-listen" true }}
{{- end }}
{{- mergeOverwrite (deepCopy .Values.settings) $made | toYaml -}}
{{- end -}}
