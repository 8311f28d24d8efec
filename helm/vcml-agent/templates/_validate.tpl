{{/* Values that contradict each other end here, with what to do about it. */}}
{{- define "vcml-agent.validate" -}}
{{- $values := .Values }}
{{- $config := .Values.config }}
{{- if and $values.collector.enabled $config.exportEndpoint }}
{{- fail "collector.enabled and config.exportEndpoint: records go to one receiver; take one of the two out" }}
{{- end }}
{{- if and $values.podMonitor.enabled (not $values.telemetry.enabled) }}
{{- fail "podMonitor.enabled needs telemetry.enabled: there is nothing to scrape" }}
{{- end }}
{{- if and $values.networkPolicy.enabled $values.hostNetwork }}
{{- fail "networkPolicy.enabled and hostNetwork: no policy holds for pods in the node's network; take one of the two out" }}
{{- end }}
{{- if and (not $values.serviceAccount.create) (not $values.serviceAccount.name) }}
{{- fail "serviceAccount.create is false: name an existing account in serviceAccount.name" }}
{{- end }}
{{- if ((($values.updateStrategy).rollingUpdate).maxSurge) }}
{{- fail "updateStrategy.rollingUpdate.maxSurge: a second agent on a node cannot get the hook, and would end with 75; use maxUnavailable" }}
{{- end }}
{{- if and (eq $values.runtime.type "none") $values.runtime.dir }}
{{- fail "runtime.dir is set, but runtime.type is none: say which runtime's folder it is" }}
{{- end }}
{{- if and (eq $values.runtime.type "none") (eq (default "none" $config.metadata) "none") }}
{{- fail "runtime.type and config.metadata are both none: records would name no pod; choose at least one" }}
{{- end }}
{{- if hasSuffix "/containerd" (trimSuffix "/" $values.runtime.dir) }}
{{- fail (printf "runtime.dir is %s, where the runtime's socket is; give its folder io.containerd.runtime.v2.task" $values.runtime.dir) }}
{{- end }}
{{- range tuple "exportCertificate" "exportClientCertificate" "exportClientKey" "exportTokenFile" "exportHeadersFile" }}
{{- $path := get $config . | toString }}
{{- if hasPrefix "/etc/vcml-agent/secrets/" $path }}
{{- $secret := index (splitList "/" $path) 4 }}
{{- if not (has $secret $values.secrets) }}
{{- fail (printf "config.%s is %s: name the Secret %s in secrets as well, so that it is mounted" . $path $secret) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $config.exportClientCertificate (not $config.exportClientKey) }}
{{- fail "config.exportClientCertificate needs config.exportClientKey" }}
{{- end }}
{{- if and (eq (default "keep" $config.journalOnUninstall) "delete") (ne (default "keep" $config.onExit) "whenUninstalled") }}
{{- fail "config.journalOnUninstall is delete, but config.onExit is not whenUninstalled: no agent would know of an uninstall" }}
{{- end }}
{{- $limit := ((($values.resources).limits).memory) | default "" | toString }}
{{- if regexMatch "^[0-9]+[MG]i$" $limit }}
{{- $given := mul (regexFind "^[0-9]+" $limit | int) (hasSuffix "Gi" $limit | ternary 1024 1) | int }}
{{- $maps := include "vcml-agent.maps" . | int }}
{{- if lt $given (add $maps 64 | int) }}
{{- fail (printf "resources.limits.memory is %s, but ring and table take %dMi of it in the kernel: leave it out, so that it is made, or lower config.ringSize or config.tableEntries" $limit $maps) }}
{{- end }}
{{- end }}
{{- $namespace := lookup "v1" "Namespace" "" .Release.Namespace }}
{{- $level := get (($namespace.metadata).labels | default dict) "pod-security.kubernetes.io/enforce" }}
{{- if and $level (ne $level "privileged") }}
{{- fail (printf "namespace %s admits %s pods only, and the agent needs folders and processes of its node: kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged --overwrite" .Release.Namespace $level .Release.Namespace) }}
{{- end }}
{{- end }}
