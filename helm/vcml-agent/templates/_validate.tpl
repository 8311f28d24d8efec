{{/* Refuses null where the chart needs a value. Every template begins with it. */}}
{{- define "vcml-agent.refuseNull" -}}
{{- range $path := .Files.Lines "files/needed-values.txt" }}
{{- $at := $.Values }}
{{- range splitList "." $path }}
{{- if . }}
{{- $at = index $at . }}
{{- if kindIs "invalid" $at }}
{{- fail (printf "%s is null; leave it out, and its default applies (after an upgrade with --reuse-values: use --reset-then-reuse-values)" $path) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Refuses values that contradict each other or the chart, and names the remedy. */}}
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
{{- if and $values.leastPrivilege $values.privileged }}
{{- fail "leastPrivilege and privileged are both set, but a privileged agent has all rights; remove one of them" }}
{{- end }}
{{- if and (eq $values.runtime.type "none") $values.runtime.dir }}
{{- fail "runtime.dir is set, but runtime.type is none; set runtime.type to the runtime that uses this folder" }}
{{- end }}
{{- if and (eq $values.runtime.type "none") (eq (default "none" $config.metadata) "none") }}
{{- fail "runtime.type and config.metadata are both none, so records would name no pod; set at least one of them" }}
{{- end }}
{{- if hasSuffix "/containerd" (trimSuffix "/" (default "" $values.runtime.dir)) }}
{{- fail (printf "runtime.dir is %s, which contains the runtime's socket; use its folder io.containerd.runtime.v2.task" $values.runtime.dir) }}
{{- end }}
{{- range tuple "exportCertificate" "exportClientCertificate" "exportClientKey" "exportTokenFile" "exportHeadersFile" "checkpointKeyFile" }}
{{- $path := get $config . | toString }}
{{- if hasPrefix "/etc/vcml-agent/secrets/" $path }}
{{- $secret := index (splitList "/" $path) 4 }}
{{- if not (has $secret (default list $values.secrets)) }}
{{- fail (printf "config.%s is %s, but secrets does not list the Secret %s; add it, so that it is mounted" . $path $secret) }}
{{- end }}
{{- end }}
{{- end }}
{{- $own := list "helm.sh/chart" "checksum/config" "container.apparmor.security.beta.kubernetes.io/agent" }}
{{- range list "name" "instance" "component" "version" "managed-by" }}
{{- $own = append $own (printf "app.kubernetes.io/%s" .) }}
{{- end }}
{{- range $path := list "labels" "podLabels" "podAnnotations" "podMonitor.labels" "prometheusRule.labels" "dashboard.labels" }}
{{- $at := $values }}
{{- range splitList "." $path }}
{{- $at = index $at . }}
{{- end }}
{{- range $key, $_ := $at }}
{{- if has $key $own }}
{{- fail (printf "%s has %s, which the chart sets itself; remove it" $path $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $values.extraEnv }}
{{- if has .name (list "POD_NAME" "POD_NAMESPACE" "POD_IP" "HOST_IP" "VCML_AGENT_NODE_NAME" "VCML_AGENT_MOUNT_BPFFS" "VCML_AGENT_CONFIG" "VCML_AGENT_TELEMETRY_ADDRESS" "VCML_AGENT_PROBE_ADDRESS") }}
{{- fail (printf "extraEnv has %s, which the chart sets itself; remove it" .name) }}
{{- end }}
{{- end }}
{{- $pins := default "/sys/fs/bpf/vcml-agent" $config.pinDir | clean }}
{{- if not (hasPrefix "/sys/fs/bpf/" $pins) }}
{{- fail (printf "config.pinDir is %s, but the pod has the bpffs of the node at /sys/fs/bpf; name a folder in it, such as /sys/fs/bpf/vcml-agent (hostPaths.bpffs says where the node has its bpffs)" $config.pinDir) }}
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
{{- fail (printf "resources.limits.memory is %s, but the maps in the kernel use %dMi of it; remove the limit, so that the chart computes it, or lower config.ringSize, config.tableEntries or possibleCpus" $limit $maps) }}
{{- end }}
{{- end }}
{{- $namespace := lookup "v1" "Namespace" "" .Release.Namespace }}
{{- $level := get (($namespace.metadata).labels | default dict) "pod-security.kubernetes.io/enforce" }}
{{- if and $level (ne $level "privileged") }}
{{- fail (printf "namespace %s admits only %s pods, but the agent needs access to folders and processes of its node; run: kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged --overwrite" .Release.Namespace $level .Release.Namespace) }}
{{- end }}
{{- end }}
