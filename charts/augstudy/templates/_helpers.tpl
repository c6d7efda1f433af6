{{- define "augstudy.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "augstudy.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "augstudy.labels" -}}
{{ include "augstudy.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "augstudy.kfpHost" -}}
{{- .Values.kfp.host | default (printf "http://ml-pipeline.%s.svc:8888" .Values.kfp.namespace) -}}
{{- end -}}

{{- /* Name of the image of the steps, or nothing if no tag and no digest is given. */ -}}
{{- define "augstudy.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else if .Values.image.tag -}}
{{- printf "%s:%s" .Values.image.repository .Values.image.tag -}}
{{- end -}}
{{- end -}}

{{- /* minio, s3 or gs. */ -}}
{{- define "augstudy.scheme" -}}
{{- splitList "://" .Values.objectStore.pipelineRoot | first -}}
{{- end -}}

{{- /* Name of the store's secret; nothing if credentials come from the environment. */ -}}
{{- define "augstudy.storeSecret" -}}
{{- $given := .Values.objectStore.credentials -}}
{{- if not $given.fromEnv -}}
{{- $given.existingSecret | default (printf "%s-store" (include "augstudy.fullname" .)) -}}
{{- end -}}
{{- end -}}

{{- /* Secrets that runs may read, as a YAML list. */ -}}
{{- define "augstudy.secretNames" -}}
{{- $names := list (include "augstudy.storeSecret" .) -}}
{{- range .Values.objectStore.overrides -}}
{{- $names = append $names (dig "credentials" "secretRef" "secretName" "" .) -}}
{{- end -}}
{{- concat $names .Values.rbac.secretNames | compact | uniq | toYaml -}}
{{- end -}}

{{- /* The launcher's 'providers' as YAML. */ -}}
{{- define "augstudy.providers" -}}
{{- $store := .Values.objectStore -}}
{{- $scheme := include "augstudy.scheme" . -}}
{{- $credentials := dict "fromEnv" $store.credentials.fromEnv -}}
{{- if not $store.credentials.fromEnv -}}
{{- $ref := dict "secretName" (include "augstudy.storeSecret" .) -}}
{{- if eq $scheme "gs" -}}
{{- $_ := set $ref "tokenKey" $store.credentials.tokenKey -}}
{{- else -}}
{{- $_ := set $ref "accessKeyKey" $store.credentials.accessKeyKey -}}
{{- $_ := set $ref "secretKeyKey" $store.credentials.secretKeyKey -}}
{{- end -}}
{{- $_ := set $credentials "secretRef" $ref -}}
{{- end -}}
{{- $default := dict "credentials" $credentials -}}
{{- if ne $scheme "gs" -}}
{{- $_ := set $default "endpoint" $store.endpoint -}}
{{- $_ := set $default "region" $store.region -}}
{{- $_ := set $default "disableSSL" $store.disableSSL -}}
{{- $_ := set $default "forcePathStyle" $store.forcePathStyle -}}
{{- end -}}
{{- $provider := dict "default" $default -}}
{{- with $store.overrides -}}
{{- $_ := set $provider "overrides" . -}}
{{- end -}}
{{- dict $scheme $provider | toYaml -}}
{{- end -}}

{{- /* "true" if the store is the one that KFP's manifests bring along, which needs no configuration. */ -}}
{{- define "augstudy.storeIsKfps" -}}
{{- $store := .Values.objectStore -}}
{{- $address := printf "%s %s %s" $store.pipelineRoot $store.endpoint $store.credentials.existingSecret -}}
{{- if and (eq $address "minio://mlpipeline/v2/artifacts seaweedfs.kubeflow:9000 mlpipeline-minio-artifact") $store.disableSSL (not $store.overrides) (not $store.credentials.fromEnv) -}}
true
{{- end -}}
{{- end -}}

{{- /* "true" if the ConfigMap kfp-launcher belongs into this release. */ -}}
{{- define "augstudy.ownsLauncher" -}}
{{- if eq .Values.launcher.create "always" -}}
true
{{- else if eq .Values.launcher.create "auto" -}}
{{- $found := lookup "v1" "ConfigMap" .Release.Namespace "kfp-launcher" -}}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" $found -}}
{{- if or (not $found) (eq $owner .Release.Name) -}}
true
{{- else if not (include "augstudy.storeIsKfps" .) -}}
{{- fail (printf "The ConfigMap kfp-launcher in namespace %s is not this release's (KFP's manifests make one), and runs would not find the store %s. Take it over: add --set launcher.create=always --take-ownership. Or keep it and enter the store there yourself: --set launcher.create=never." .Release.Namespace .Values.objectStore.pipelineRoot) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What all pods of the chart have in common: they pass Pod Security 'restricted'. */ -}}
{{- define "augstudy.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "augstudy.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "augstudy.placement" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
