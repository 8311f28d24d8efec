{{/* Refuses values that contradict each other, and names the remedy. */}}
{{- define "vcml-agent.validate" -}}
{{- $values := .Values }}
{{- $config := .Values.config }}
{{- if and $values.collector.enabled $config.exportEndpoint }}
{{- fail "collector.enabled and config.exportEndpoint are both set, but there is only one receiver of records; remove one of them" }}
{{- end }}
{{- if and $values.podMonitor.enabled (not $values.telemetry.enabled) }}
{{- fail "podMonitor.enabled is set, but telemetry.enabled is false; without telemetry there is nothing to scrape" }}
{{- end }}
{{- if and $values.podMonitor.enabled $values.networkPolicy.enabled (not $values.hostNetwork) (not $values.networkPolicy.from) }}
{{- fail "podMonitor.enabled is set, but networkPolicy.from is empty, so that nobody could scrape; name the pods of Prometheus there, such as {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}, or set networkPolicy.enabled to false" }}
{{- end }}
{{- if and $values.telemetry.enabled (eq (int $values.telemetry.port) (int $values.probePort)) }}
{{- fail "telemetry.port and probePort are the same; the probes have a listener of their own, so choose another port for one of them" }}
{{- end }}
{{- if and (not $values.serviceAccount.create) (not $values.serviceAccount.name) }}
{{- fail "serviceAccount.create is false; name an existing account in serviceAccount.name" }}
{{- end }}
{{- if ((($values.updateStrategy).rollingUpdate).maxSurge) }}
{{- fail "updateStrategy.rollingUpdate.maxSurge is set, but a second agent on a node cannot hold the hook and exits with code 75; use maxUnavailable" }}
{{- end }}
{{- if and (eq $values.runtime.type "none") $values.runtime.dir }}
{{- fail "runtime.dir is set, but runtime.type is none; set runtime.type to the runtime that uses this folder" }}
{{- end }}
{{- if and (eq $values.runtime.type "none") (eq (default "none" $config.metadata) "none") }}
{{- fail "runtime.type and config.metadata are both none, so records would name no pod; set at least one of them" }}
{{- end }}
{{- if hasSuffix "/containerd" (trimSuffix "/" $values.runtime.dir) }}
{{- fail (printf "runtime.dir is %s, which contains the runtime's socket; use its folder io.containerd.runtime.v2.task" $values.runtime.dir) }}
{{- end }}
{{- range tuple "exportCertificate" "exportClientCertificate" "exportClientKey" "exportTokenFile" "exportHeadersFile" }}
{{- $path := get $config . | toString }}
{{- if hasPrefix "/etc/vcml-agent/secrets/" $path }}
{{- $secret := index (splitList "/" $path) 4 }}
{{- if not (has $secret $values.secrets) }}
{{- fail (printf "config.%s is %s, but secrets does not list the Secret %s; add it, so that it is mounted" . $path $secret) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $config.exportClientCertificate (not $config.exportClientKey) }}
{{- fail "config.exportClientCertificate is set, but config.exportClientKey is not; set both" }}
{{- end }}
{{- if and (eq (default "keep" $config.journalOnUninstall) "delete") (ne (default "keep" $config.onExit) "whenUninstalled") }}
{{- fail "config.journalOnUninstall is delete, but config.onExit is not whenUninstalled, so no agent would detect an uninstall; set config.onExit to whenUninstalled" }}
{{- end }}
{{- $limit := ((($values.resources).limits).memory) | default "" | toString }}
{{- if regexMatch "^[0-9]+[MG]i$" $limit }}
{{- $given := mul (regexFind "^[0-9]+" $limit | int) (hasSuffix "Gi" $limit | ternary 1024 1) | int }}
{{- $maps := include "vcml-agent.maps" . | int }}
{{- if lt $given (add $maps 64 | int) }}
{{- fail (printf "resources.limits.memory is %s, but the ring buffer and the table use %dMi of it in the kernel; remove the limit, so that the chart computes it, or lower config.ringSize or config.tableEntries" $limit $maps) }}
{{- end }}
{{- end }}
{{- $namespace := lookup "v1" "Namespace" "" .Release.Namespace }}
{{- $level := get (($namespace.metadata).labels | default dict) "pod-security.kubernetes.io/enforce" }}
{{- if and $level (ne $level "privileged") }}
{{- fail (printf "namespace %s admits only %s pods, but the agent needs access to folders and processes of its node; run: kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged --overwrite" .Release.Namespace $level .Release.Namespace) }}
{{- end }}
{{- end }}
