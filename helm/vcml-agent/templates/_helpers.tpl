{{- define "vcml-agent.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "vcml-agent.fullname" -}}
{{- $name := include "vcml-agent.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/*
The name of the objects that belong to no namespace: releases of one name in two namespaces must not
share them. A namespace contains no dot, so that no two releases have the same.
*/}}
{{- define "vcml-agent.clusterWideName" -}}
{{- printf "%s.%s" (include "vcml-agent.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "vcml-agent.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vcml-agent.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "vcml-agent.agentLabels" -}}
{{ include "vcml-agent.selectorLabels" . }}
app.kubernetes.io/component: agent
{{- end }}

{{- define "vcml-agent.collectorLabels" -}}
{{ include "vcml-agent.selectorLabels" . }}
app.kubernetes.io/component: collector
{{- end }}

{{/* The labels of all objects. */}}
{{- define "vcml-agent.labels" -}}
{{- include "vcml-agent.labelsWith" (list . dict) }}
{{- end }}

{{/* The labels of an object that has further ones. Takes the context and these, which go before `labels`. */}}
{{- define "vcml-agent.labelsWith" -}}
{{- $top := first . }}
{{- $more := last . | default dict }}
{{- with $top }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "vcml-agent.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with merge (deepCopy $more) (.Values.labels | default dict) }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vcml-agent.serviceAccountName" -}}
{{- default (include "vcml-agent.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "vcml-agent.priorityClassName" -}}
{{- $made := ternary (include "vcml-agent.clusterWideName" .) "" (default false .Values.priorityClass.create) }}
{{- default $made .Values.priorityClass.name }}
{{- end }}

{{/* The reference of an image, with its digest or its tag. Takes the values of an image and the default tag. */}}
{{- define "vcml-agent.image" -}}
{{- if .image.digest }}
{{- printf "%s@%s" .image.repository .image.digest }}
{{- else }}
{{- printf "%s:%s" .image.repository (default .tag .image.tag) }}
{{- end }}
{{- end }}

{{/* The agent's configuration file. */}}
{{- define "vcml-agent.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if .Values.collector.enabled }}
{{- $receiver := printf "http://%s-collector.%s.svc:4317" (include "vcml-agent.fullname" .) .Release.Namespace }}
{{- $_ := set $config "exportEndpoint" $receiver }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* The mount of the runtime's bundles: "host folder" and "folder in the agent". */}}
{{- define "vcml-agent.runtime" -}}
{{- $containerd := "/run/containerd/io.containerd.runtime.v2.task" }}
{{- $usual := dict
  "containerd" (list $containerd $containerd)
  "k3s" (list "/run/k3s/containerd/io.containerd.runtime.v2.task" $containerd)
  "k0s" (list "/run/k0s/containerd/io.containerd.runtime.v2.task" $containerd)
  "microk8s" (list "/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task" $containerd)
  "cri-o" (list "/run/containers/storage/overlay-containers" "/run/containers/storage/overlay-containers")
  "docker" (list "/var/lib/docker/containers" "/var/lib/docker/containers") }}
{{- $folders := get $usual .Values.runtime.type }}
host: {{ default (first $folders) .Values.runtime.dir }}
agent: {{ last $folders }}
{{- end }}

{{/* A size such as 32MiB in MiB, rounded up. */}}
{{- define "vcml-agent.mebibytes" -}}
{{- $number := regexFind "^[0-9]+" . | float64 }}
{{- $unit := regexFind "[A-Za-z]+$" . }}
{{- $factors := dict "GiB" 1024.0 "MiB" 1.0 "KiB" 0.0009765625 }}
{{- mulf $number (default 0.00000095367431640625 (get $factors $unit)) | ceil | int }}
{{- end }}

{{/* The memory of the maps in the kernel, in MiB; test/e2e/helm/memory.test.ts compares it with real ones. */}}
{{- define "vcml-agent.maps" -}}
{{- $ring := "32MiB" }}
{{- with .Values.config.ringSize }}
{{- $ring = kindIs "string" . | ternary (toString .) (printf "%dB" (int64 .)) }}
{{- end }}
{{- $entries := default 262144 (int .Values.config.tableEntries) }}
{{- $table := mulf $entries 152.0 }}
{{- $cgroups := mulf 8192.0 359.0 }}
{{- $perCpu := mulf .Values.possibleCpus 182272.0 }}
{{- $tables := divf (addf $table $cgroups $perCpu) 1048576.0 | ceil | int }}
{{- add (include "vcml-agent.mebibytes" $ring | int) $tables }}
{{- end }}

{{/* The memory of the process and the kernel maps together. */}}
{{- define "vcml-agent.memory" -}}
{{- printf "%dMi" (add .Values.agentMemoryMiB (include "vcml-agent.maps" . | int) | int) }}
{{- end }}

{{/* The capabilities of the agent, as a list in YAML. */}}
{{- define "vcml-agent.capabilities" -}}
{{- $all := default list .Values.capabilities }}
{{- default false .Values.leastPrivilege | ternary (without $all "SYS_PTRACE") $all | toYaml }}
{{- end }}

{{/* Where the kubelet probes: the pod's address or, in the network of the node, the loopback interface. */}}
{{- define "vcml-agent.probed" -}}
port: probes
{{- if .Values.hostNetwork }}
host: 127.0.0.1
{{- end }}
{{- end }}

{{- define "vcml-agent.resources" -}}
{{- $memory := dict "memory" (include "vcml-agent.memory" .) }}
{{- $made := dict "requests" $memory "limits" (deepCopy $memory) }}
{{- toYaml (merge (deepCopy (default dict .Values.resources)) $made) }}
{{- end }}

{{/* Makes sub-mounts of a read-only mount read-only as well, if the cluster supports it. */}}
{{- define "vcml-agent.readOnly" -}}
readOnly: true
{{- if semverCompare ">=1.31.0-0" .Capabilities.KubeVersion.Version }}
recursiveReadOnly: IfPossible
{{- end }}
{{- end }}

{{/* The AppArmor profile in the form of the annotation that clusters before 1.30 use. */}}
{{- define "vcml-agent.appArmor" -}}
{{- $profile := .Values.appArmorProfile }}
{{- if eq $profile.type "Localhost" }}
{{- printf "localhost/%s" $profile.localhostProfile }}
{{- else }}
{{- get (dict "Unconfined" "unconfined" "RuntimeDefault" "runtime/default") $profile.type }}
{{- end }}
{{- end }}

{{/* "true" if the agent needs its account's token, for the API server or the kubelet; otherwise nothing. */}}
{{- define "vcml-agent.needsToken" -}}
{{- $config := .Values.config }}
{{- $isSocket := hasPrefix "unix://" (toString $config.kubeletEndpoint) }}
{{- $metadata := default "none" $config.metadata }}
{{- if or (eq $metadata "apiserver") (and (eq $metadata "kubelet") (not $isSocket)) (eq (default "keep" $config.onExit) "whenUninstalled") }}
{{- true }}
{{- end }}
{{- end }}
