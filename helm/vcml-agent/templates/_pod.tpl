{{/*
The spec of a pod with the agent's container, its rights and its folders. Takes a dict: `root`, the context of the
chart; `isCheck`, whether it checks its node and ends, instead of recording.
*/}}
{{- define "vcml-agent.podSpec" -}}
{{- $isCheck := .isCheck }}
{{- with .root }}
{{- $values := .Values }}
{{- $metadata := default "none" $values.config.metadata }}
{{- $kubeletSocket := and (eq $metadata "kubelet") (hasPrefix "unix://" (toString $values.config.kubeletEndpoint)) }}
{{- $podAddress := default false $values.ipv6 | ternary "[$(POD_IP)]" "$(POD_IP)" -}}
serviceAccountName: {{ include "vcml-agent.serviceAccountName" . }}
automountServiceAccountToken: {{ not (empty (include "vcml-agent.needsToken" .)) }}
enableServiceLinks: false
{{- if not $values.leastPrivilege }}
# Names processes older than the hook, and distinguishes processes of containers from the node's.
hostPID: true
{{- end }}
# In a user namespace, no capability suffices to load BPF programs or to own files of the node.
hostUsers: true
{{- if $values.hostNetwork }}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
{{- if $isCheck }}
restartPolicy: Never
{{- else }}
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
{{- with include "vcml-agent.priorityClassName" . }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $isCheck }}
{{- include "vcml-agent.besideAgent" . | nindent 0 }}
{{- else }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: agent
    image: {{ include "vcml-agent.image" (dict "image" $values.image "tag" .Chart.AppVersion) }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: {{ $isCheck | ternary "[status, --check]" "[run]" }}
    env:
      - name: POD_NAME
        valueFrom:
          fieldRef:
            fieldPath: metadata.name
      - name: POD_NAMESPACE
        valueFrom:
          fieldRef:
            fieldPath: metadata.namespace
      - name: VCML_AGENT_NODE_NAME
        valueFrom:
          fieldRef:
            fieldPath: spec.nodeName
      # A bpffs in the pod would end with the pod, and the hook with it.
      - name: VCML_AGENT_MOUNT_BPFFS
        value: "false"
      - name: VCML_AGENT_CONFIG
        value: /etc/vcml-agent/vcml-agent.yaml
      - name: POD_IP
        valueFrom:
          fieldRef:
            fieldPath: status.podIP
      {{- if $values.telemetry.enabled }}
      - name: VCML_AGENT_TELEMETRY_ADDRESS
        value: {{ printf "%s:%v" $podAddress $values.telemetry.port | quote }}
      {{- end }}
      # In the network of the node, only the node itself reaches the loopback interface.
      - name: VCML_AGENT_PROBE_ADDRESS
        value: {{ printf "%s:%v" (default false $values.hostNetwork | ternary "127.0.0.1" $podAddress) $values.probePort | quote }}
      {{- if and (eq $metadata "kubelet") (not $values.config.kubeletEndpoint) }}
      - name: HOST_IP
        valueFrom:
          fieldRef:
            fieldPath: status.hostIP
      - name: VCML_AGENT_KUBELET_ENDPOINT
        value: {{ default false $values.ipv6 | ternary "https://[$(HOST_IP)]:10250" "https://$(HOST_IP):10250" }}
      {{- end }}
      {{- with $values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- if not $isCheck }}
    ports:
      {{- if $values.telemetry.enabled }}
      - name: telemetry
        containerPort: {{ $values.telemetry.port }}
      {{- end }}
      - name: probes
        containerPort: {{ $values.probePort }}
    livenessProbe:
      httpGet:
        path: /livez
        {{- include "vcml-agent.probed" . | nindent 8 }}
      {{- with $values.livenessProbe }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    readinessProbe:
      httpGet:
        path: /readyz
        {{- include "vcml-agent.probed" . | nindent 8 }}
      {{- with $values.readinessProbe }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    resources:
      {{- include "vcml-agent.resources" . | nindent 6 }}
    {{- end }}
    securityContext:
      runAsUser: 0
      runAsGroup: 0
      readOnlyRootFilesystem: true
      {{- if $values.privileged }}
      privileged: true
      {{- else }}
      allowPrivilegeEscalation: false
      capabilities:
        drop: [ALL]
        {{- with include "vcml-agent.capabilities" . | fromYamlArray }}
        add:
          {{- toYaml . | nindent 10 }}
        {{- end }}
      {{- with $values.seccompProfile }}
      seccompProfile:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if and $values.appArmorProfile (include "vcml-agent.isAppArmorField" .) }}
      appArmorProfile:
        {{- toYaml $values.appArmorProfile | nindent 8 }}
      {{- end }}
      {{- with $values.seLinuxOptions }}
      seLinuxOptions:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
    volumeMounts:
      - name: config
        mountPath: /etc/vcml-agent
        readOnly: true
      - name: journal
        mountPath: /var/lib/vcml-agent
      # No propagation is needed, because the bpffs itself is that of the node.
      - name: bpffs
        mountPath: /sys/fs/bpf
      - name: cgroup
        mountPath: /host/sys/fs/cgroup
        {{- include "vcml-agent.readOnly" . | nindent 8 }}
      {{- if ne $values.runtime.type "none" }}
      - name: runtime
        mountPath: {{ (include "vcml-agent.runtime" . | fromYaml).agent }}
        {{- include "vcml-agent.readOnly" . | nindent 8 }}
      {{- end }}
      {{- if $values.hostPaths.machineId }}
      - name: machine-id
        mountPath: /etc/machine-id
        readOnly: true
      {{- end }}
      {{- if $kubeletSocket }}
      - name: kubelet
        mountPath: {{ dir (trimPrefix "unix://" $values.config.kubeletEndpoint) }}
        readOnly: true
      {{- end }}
      {{- range $number, $secret := uniq (default list $values.secrets) }}
      - name: secret-{{ $number }}
        mountPath: /etc/vcml-agent/secrets/{{ $secret }}
        readOnly: true
      {{- end }}
      {{- with $values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: config
    configMap:
      name: {{ include "vcml-agent.fullname" . }}
  - name: journal
    hostPath:
      path: {{ $values.hostPaths.journal }}
      type: DirectoryOrCreate
  - name: bpffs
    hostPath:
      path: {{ $values.hostPaths.bpffs }}
      type: Directory
  - name: cgroup
    hostPath:
      path: {{ $values.hostPaths.cgroup }}
      type: Directory
  {{- if ne $values.runtime.type "none" }}
  # It contains no socket. Without a type, the folder is created on nodes with another runtime.
  - name: runtime
    hostPath:
      path: {{ (include "vcml-agent.runtime" . | fromYaml).host }}
  {{- end }}
  {{- with $values.hostPaths.machineId }}
  - name: machine-id
    hostPath:
      path: {{ . }}
      type: File
  {{- end }}
  {{- if $kubeletSocket }}
  - name: kubelet
    hostPath:
      path: {{ dir (trimPrefix "unix://" $values.config.kubeletEndpoint) }}
      type: Directory
  {{- end }}
  {{- range $number, $secret := uniq (default list $values.secrets) }}
  - name: secret-{{ $number }}
    secret:
      secretName: {{ $secret }}
      defaultMode: 0400
  {{- end }}
  {{- with $values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Places a pod on a node that has an agent. */}}
{{- define "vcml-agent.besideAgent" -}}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "vcml-agent.agentLabels" . | nindent 12 }}
{{- end }}

{{/* Whether pods name their AppArmor profile in a field, and not in an annotation. */}}
{{- define "vcml-agent.isAppArmorField" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}true{{ end }}
{{- end }}

{{/* The annotation with the AppArmor profile of the agent's container, where there is no field for it. */}}
{{- define "vcml-agent.appArmorAnnotation" -}}
{{- if and .Values.appArmorProfile (not (include "vcml-agent.isAppArmorField" .)) -}}
container.apparmor.security.beta.kubernetes.io/agent: {{ include "vcml-agent.appArmor" . }}
{{- end }}
{{- end }}
