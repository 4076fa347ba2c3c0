/**
 * The protobuf messages that clients send (current kubectl creates with protobuf): per message, `number type field`.
 * Numbers and names are those of the `generated.proto` files of k8s.io/api and k8s.io/apimachinery v0.35. Long because
 * it is a table of facts.
 *
 * Types: s string, b bool, i integer, d double, y bytes, T Time, M MicroTime, Q Quantity, X IntOrString, R raw JSON,
 * L a list of strings, or the name of a message. Before the type: `*` a list, `%` a map from strings, `&` a pointer in
 * Go (present means set, even when zero; other fields are always sent and zero means unset), `^` a message whose fields
 * belong to the enclosing object (inlined in Go).
 */
export const messages: Readonly<Record<string, string>> = {
  AWSElasticBlockStoreVolumeSource: "1 s volumeID|2 s fsType|3 i partition|4 b readOnly",
  Affinity:
    "1 &NodeAffinity nodeAffinity|2 &PodAffinity podAffinity|3 &PodAntiAffinity podAntiAffinity",
  AggregationRule: "1 *LabelSelector clusterRoleSelectors",
  AppArmorProfile: "1 s type|2 &s localhostProfile",
  AttachedVolume: "1 s name|2 s devicePath",
  AzureDiskVolumeSource:
    "1 s diskName|2 s diskURI|3 &s cachingMode|4 &s fsType|5 &b readOnly|6 &s kind",
  AzureFileVolumeSource: "1 s secretName|2 s shareName|3 b readOnly",
  Binding: "1 ObjectMeta metadata|2 ObjectReference target",
  BoundObjectReference: "1 s kind|2 s apiVersion|3 s name|4 s uid",
  CSIVolumeSource:
    "1 s driver|2 &b readOnly|3 &s fsType|4 %s volumeAttributes|5 &LocalObjectReference nodePublishSecretRef",
  Capabilities: "1 *s add|2 *s drop",
  CephFSVolumeSource:
    "1 *s monitors|2 s path|3 s user|4 s secretFile|5 &LocalObjectReference secretRef|6 b readOnly",
  CertificateSigningRequest:
    "1 ObjectMeta metadata|2 CertificateSigningRequestSpec spec|3 CertificateSigningRequestStatus status",
  CertificateSigningRequestCondition:
    "1 s type|6 s status|2 s reason|3 s message|4 T lastUpdateTime|5 T lastTransitionTime",
  CertificateSigningRequestSpec:
    "1 y request|7 s signerName|8 &i expirationSeconds|5 *s usages|2 s username|3 s uid|4 *s groups|6 %L extra",
  CertificateSigningRequestStatus:
    "1 *CertificateSigningRequestCondition conditions|2 y certificate",
  CinderVolumeSource: "1 s volumeID|2 s fsType|3 b readOnly|4 &LocalObjectReference secretRef",
  ClientIPConfig: "1 &i timeoutSeconds",
  ClusterRole: "1 ObjectMeta metadata|2 *PolicyRule rules|3 &AggregationRule aggregationRule",
  ClusterRoleBinding: "1 ObjectMeta metadata|2 *Subject subjects|3 RoleRef roleRef",
  ClusterTrustBundleProjection:
    "1 &s name|2 &s signerName|3 &LabelSelector labelSelector|5 &b optional|4 s path",
  Condition:
    "1 s type|2 s status|3 i observedGeneration|4 T lastTransitionTime|5 s reason|6 s message",
  ConfigMap: "1 ObjectMeta metadata|4 &b immutable|2 %s data|3 %y binaryData",
  ConfigMapEnvSource: "1 ^LocalObjectReference localObjectReference|2 &b optional",
  ConfigMapKeySelector: "1 ^LocalObjectReference localObjectReference|2 s key|3 &b optional",
  ConfigMapNodeConfigSource:
    "1 s namespace|2 s name|3 s uid|4 s resourceVersion|5 s kubeletConfigKey",
  ConfigMapProjection:
    "1 ^LocalObjectReference localObjectReference|2 *KeyToPath items|4 &b optional",
  ConfigMapVolumeSource:
    "1 ^LocalObjectReference localObjectReference|2 *KeyToPath items|3 &i defaultMode|4 &b optional",
  Container:
    "1 s name|2 s image|3 *s command|4 *s args|5 s workingDir|6 *ContainerPort ports|19 *EnvFromSource envFrom|7 *EnvVar env|8 ResourceRequirements resources|23 *ContainerResizePolicy resizePolicy|24 &s restartPolicy|25 *ContainerRestartRule restartPolicyRules|9 *VolumeMount volumeMounts|21 *VolumeDevice volumeDevices|10 &Probe livenessProbe|11 &Probe readinessProbe|22 &Probe startupProbe|12 &Lifecycle lifecycle|13 s terminationMessagePath|20 s terminationMessagePolicy|14 s imagePullPolicy|15 &SecurityContext securityContext|16 b stdin|17 b stdinOnce|18 b tty",
  ContainerExtendedResourceRequest: "1 s containerName|2 s resourceName|3 s requestName",
  ContainerImage: "1 *s names|2 i sizeBytes",
  ContainerPort: "1 s name|2 i hostPort|3 i containerPort|4 s protocol|5 s hostIP",
  ContainerResizePolicy: "1 s resourceName|2 s restartPolicy",
  ContainerRestartRule: "1 s action|2 &ContainerRestartRuleOnExitCodes exitCodes",
  ContainerRestartRuleOnExitCodes: "1 s operator|2 *i values",
  ContainerState:
    "1 &ContainerStateWaiting waiting|2 &ContainerStateRunning running|3 &ContainerStateTerminated terminated",
  ContainerStateRunning: "1 T startedAt",
  ContainerStateTerminated:
    "1 i exitCode|2 i signal|3 s reason|4 s message|5 T startedAt|6 T finishedAt|7 s containerID",
  ContainerStateWaiting: "1 s reason|2 s message",
  ContainerStatus:
    "1 s name|2 ContainerState state|3 ContainerState lastState|4 b ready|5 i restartCount|6 s image|7 s imageID|8 s containerID|9 &b started|10 %Q allocatedResources|11 &ResourceRequirements resources|12 *VolumeMountStatus volumeMounts|13 &ContainerUser user|14 *ResourceStatus allocatedResourcesStatus|15 &s stopSignal",
  ContainerUser: "1 &LinuxContainerUser linux",
  DaemonEndpoint: "1 i Port",
  DeleteOptions:
    "1 &i gracePeriodSeconds|2 &Preconditions preconditions|3 &b orphanDependents|4 &s propagationPolicy|5 *s dryRun|6 &b ignoreStoreReadErrorWithClusterBreakingPotential",
  DownwardAPIProjection: "1 *DownwardAPIVolumeFile items",
  DownwardAPIVolumeFile:
    "1 s path|2 &ObjectFieldSelector fieldRef|3 &ResourceFieldSelector resourceFieldRef|4 &i mode",
  DownwardAPIVolumeSource: "1 *DownwardAPIVolumeFile items|2 &i defaultMode",
  EmptyDirVolumeSource: "1 s medium|2 &Q sizeLimit",
  EndpointAddress: "1 s ip|3 s hostname|4 &s nodeName|2 &ObjectReference targetRef",
  EndpointPort: "1 s name|2 i port|3 s protocol|4 &s appProtocol",
  EndpointSubset:
    "1 *EndpointAddress addresses|2 *EndpointAddress notReadyAddresses|3 *EndpointPort ports",
  Endpoints: "1 ObjectMeta metadata|2 *EndpointSubset subsets",
  EnvFromSource: "1 s prefix|2 &ConfigMapEnvSource configMapRef|3 &SecretEnvSource secretRef",
  EnvVar: "1 s name|2 s value|3 &EnvVarSource valueFrom",
  EnvVarSource:
    "1 &ObjectFieldSelector fieldRef|2 &ResourceFieldSelector resourceFieldRef|3 &ConfigMapKeySelector configMapKeyRef|4 &SecretKeySelector secretKeyRef|5 &FileKeySelector fileKeyRef",
  EphemeralContainer:
    "1 ^EphemeralContainerCommon ephemeralContainerCommon|2 s targetContainerName",
  EphemeralContainerCommon:
    "1 s name|2 s image|3 *s command|4 *s args|5 s workingDir|6 *ContainerPort ports|19 *EnvFromSource envFrom|7 *EnvVar env|8 ResourceRequirements resources|23 *ContainerResizePolicy resizePolicy|24 &s restartPolicy|25 *ContainerRestartRule restartPolicyRules|9 *VolumeMount volumeMounts|21 *VolumeDevice volumeDevices|10 &Probe livenessProbe|11 &Probe readinessProbe|22 &Probe startupProbe|12 &Lifecycle lifecycle|13 s terminationMessagePath|20 s terminationMessagePolicy|14 s imagePullPolicy|15 &SecurityContext securityContext|16 b stdin|17 b stdinOnce|18 b tty",
  EphemeralVolumeSource: "1 &PersistentVolumeClaimTemplate volumeClaimTemplate",
  Event:
    "1 ObjectMeta metadata|2 ObjectReference involvedObject|3 s reason|4 s message|5 EventSource source|6 T firstTimestamp|7 T lastTimestamp|8 i count|9 s type|10 M eventTime|11 &EventSeries series|12 s action|13 &ObjectReference related|14 s reportingComponent|15 s reportingInstance",
  EventSeries: "1 i count|2 M lastObservedTime",
  EventSource: "1 s component|2 s host",
  Eviction: "1 ObjectMeta metadata|2 &DeleteOptions deleteOptions",
  ExecAction: "1 *s command",
  FCVolumeSource: "1 *s targetWWNs|2 &i lun|3 s fsType|4 b readOnly|5 *s wwids",
  FieldSelectorAttributes: "1 s rawSelector|2 *FieldSelectorRequirement requirements",
  FieldSelectorRequirement: "1 s key|2 s operator|3 *s values",
  FileKeySelector: "1 s volumeName|2 s path|3 s key|4 &b optional",
  FlexVolumeSource:
    "1 s driver|2 s fsType|3 &LocalObjectReference secretRef|4 b readOnly|5 %s options",
  FlockerVolumeSource: "1 s datasetName|2 s datasetUUID",
  GCEPersistentDiskVolumeSource: "1 s pdName|2 s fsType|3 i partition|4 b readOnly",
  GRPCAction: "1 i port|2 &s service",
  GitRepoVolumeSource: "1 s repository|2 s revision|3 s directory",
  GlusterfsVolumeSource: "1 s endpoints|2 s path|3 b readOnly",
  HTTPGetAction: "1 s path|2 X port|3 s host|4 s scheme|5 *HTTPHeader httpHeaders",
  HTTPHeader: "1 s name|2 s value",
  HostAlias: "1 s ip|2 *s hostnames",
  HostIP: "1 s ip",
  HostPathVolumeSource: "1 s path|2 &s type",
  ISCSIVolumeSource:
    "1 s targetPortal|2 s iqn|3 i lun|4 s iscsiInterface|5 s fsType|6 b readOnly|7 *s portals|8 b chapAuthDiscovery|11 b chapAuthSession|10 &LocalObjectReference secretRef|12 &s initiatorName",
  ImageVolumeSource: "1 s reference|2 s pullPolicy",
  Job: "1 ObjectMeta metadata|2 JobSpec spec|3 JobStatus status",
  JobCondition:
    "1 s type|2 s status|3 T lastProbeTime|4 T lastTransitionTime|5 s reason|6 s message",
  JobSpec:
    "1 &i parallelism|2 &i completions|3 &i activeDeadlineSeconds|11 &PodFailurePolicy podFailurePolicy|16 &SuccessPolicy successPolicy|7 &i backoffLimit|12 &i backoffLimitPerIndex|13 &i maxFailedIndexes|4 &LabelSelector selector|5 &b manualSelector|6 PodTemplateSpec template|8 &i ttlSecondsAfterFinished|9 &s completionMode|10 &b suspend|14 &s podReplacementPolicy|15 &s managedBy",
  JobStatus:
    "1 *JobCondition conditions|2 &T startTime|3 &T completionTime|4 i active|5 i succeeded|6 i failed|11 &i terminating|7 s completedIndexes|10 &s failedIndexes|8 &UncountedTerminatedPods uncountedTerminatedPods|9 &i ready",
  KeyToPath: "1 s key|2 s path|3 &i mode",
  LabelSelector: "1 %s matchLabels|2 *LabelSelectorRequirement matchExpressions",
  LabelSelectorAttributes: "1 s rawSelector|2 *LabelSelectorRequirement requirements",
  LabelSelectorRequirement: "1 s key|2 s operator|3 *s values",
  Lease: "1 ObjectMeta metadata|2 LeaseSpec spec",
  LeaseSpec:
    "1 &s holderIdentity|2 &i leaseDurationSeconds|3 &M acquireTime|4 &M renewTime|5 &i leaseTransitions|6 &s strategy|7 &s preferredHolder",
  Lifecycle: "1 &LifecycleHandler postStart|2 &LifecycleHandler preStop|3 &s stopSignal",
  LifecycleHandler:
    "1 &ExecAction exec|2 &HTTPGetAction httpGet|3 &TCPSocketAction tcpSocket|4 &SleepAction sleep",
  LinuxContainerUser: "1 i uid|2 i gid|3 *i supplementalGroups",
  LoadBalancerIngress: "1 s ip|2 s hostname|3 &s ipMode|4 *PortStatus ports",
  LoadBalancerStatus: "1 *LoadBalancerIngress ingress",
  LocalObjectReference: "1 s name",
  LocalSubjectAccessReview:
    "1 ObjectMeta metadata|2 SubjectAccessReviewSpec spec|3 SubjectAccessReviewStatus status",
  ManagedFieldsEntry:
    "1 s manager|2 s operation|3 s apiVersion|4 &T time|6 s fieldsType|7 &R fieldsV1|8 s subresource",
  ModifyVolumeStatus: "1 s targetVolumeAttributesClassName|2 s status",
  NFSVolumeSource: "1 s server|2 s path|3 b readOnly",
  Namespace: "1 ObjectMeta metadata|2 NamespaceSpec spec|3 NamespaceStatus status",
  NamespaceCondition: "1 s type|2 s status|4 T lastTransitionTime|5 s reason|6 s message",
  NamespaceSpec: "1 *s finalizers",
  NamespaceStatus: "1 s phase|2 *NamespaceCondition conditions",
  Node: "1 ObjectMeta metadata|2 NodeSpec spec|3 NodeStatus status",
  NodeAddress: "1 s type|2 s address",
  NodeAffinity:
    "1 &NodeSelector requiredDuringSchedulingIgnoredDuringExecution|2 *PreferredSchedulingTerm preferredDuringSchedulingIgnoredDuringExecution",
  NodeCondition:
    "1 s type|2 s status|3 T lastHeartbeatTime|4 T lastTransitionTime|5 s reason|6 s message",
  NodeConfigSource: "2 &ConfigMapNodeConfigSource configMap",
  NodeConfigStatus:
    "1 &NodeConfigSource assigned|2 &NodeConfigSource active|3 &NodeConfigSource lastKnownGood|4 s error",
  NodeDaemonEndpoints: "1 DaemonEndpoint kubeletEndpoint",
  NodeFeatures: "1 &b supplementalGroupsPolicy",
  NodeRuntimeHandler: "1 s name|2 &NodeRuntimeHandlerFeatures features",
  NodeRuntimeHandlerFeatures: "1 &b recursiveReadOnlyMounts|2 &b userNamespaces",
  NodeSelector: "1 *NodeSelectorTerm nodeSelectorTerms",
  NodeSelectorRequirement: "1 s key|2 s operator|3 *s values",
  NodeSelectorTerm:
    "1 *NodeSelectorRequirement matchExpressions|2 *NodeSelectorRequirement matchFields",
  NodeSpec:
    "1 s podCIDR|7 *s podCIDRs|3 s providerID|4 b unschedulable|5 *Taint taints|6 &NodeConfigSource configSource|2 s externalID",
  NodeStatus:
    "1 %Q capacity|2 %Q allocatable|3 s phase|4 *NodeCondition conditions|5 *NodeAddress addresses|6 NodeDaemonEndpoints daemonEndpoints|7 NodeSystemInfo nodeInfo|8 *ContainerImage images|9 *s volumesInUse|10 *AttachedVolume volumesAttached|11 &NodeConfigStatus config|12 *NodeRuntimeHandler runtimeHandlers|13 &NodeFeatures features|14 *s declaredFeatures",
  NodeSwapStatus: "1 &i capacity",
  NodeSystemInfo:
    "1 s machineID|2 s systemUUID|3 s bootID|4 s kernelVersion|5 s osImage|6 s containerRuntimeVersion|7 s kubeletVersion|8 s kubeProxyVersion|9 s operatingSystem|10 s architecture|11 &NodeSwapStatus swap",
  NonResourceAttributes: "1 s path|2 s verb",
  NonResourceRule: "1 *s verbs|2 *s nonResourceURLs",
  ObjectFieldSelector: "1 s apiVersion|2 s fieldPath",
  ObjectMeta:
    "1 s name|2 s generateName|3 s namespace|4 s selfLink|5 s uid|6 s resourceVersion|7 i generation|8 T creationTimestamp|9 &T deletionTimestamp|10 &i deletionGracePeriodSeconds|11 %s labels|12 %s annotations|13 *OwnerReference ownerReferences|14 *s finalizers",
  ObjectReference:
    "1 s kind|2 s namespace|3 s name|4 s uid|5 s apiVersion|6 s resourceVersion|7 s fieldPath",
  Overhead: "1 %Q podFixed",
  OwnerReference:
    "5 s apiVersion|1 s kind|3 s name|4 s uid|6 &b controller|7 &b blockOwnerDeletion",
  PersistentVolumeClaim:
    "1 ObjectMeta metadata|2 PersistentVolumeClaimSpec spec|3 PersistentVolumeClaimStatus status",
  PersistentVolumeClaimCondition:
    "1 s type|2 s status|3 T lastProbeTime|4 T lastTransitionTime|5 s reason|6 s message",
  PersistentVolumeClaimSpec:
    "1 *s accessModes|4 &LabelSelector selector|2 VolumeResourceRequirements resources|3 s volumeName|5 &s storageClassName|6 &s volumeMode|7 &TypedLocalObjectReference dataSource|8 &TypedObjectReference dataSourceRef|9 &s volumeAttributesClassName",
  PersistentVolumeClaimStatus:
    "1 s phase|2 *s accessModes|3 %Q capacity|4 *PersistentVolumeClaimCondition conditions|5 %Q allocatedResources|7 %s allocatedResourceStatuses|8 &s currentVolumeAttributesClassName|9 &ModifyVolumeStatus modifyVolumeStatus",
  PersistentVolumeClaimTemplate: "1 ObjectMeta metadata|2 PersistentVolumeClaimSpec spec",
  PersistentVolumeClaimVolumeSource: "1 s claimName|2 b readOnly",
  PhotonPersistentDiskVolumeSource: "1 s pdID|2 s fsType",
  Pod: "1 ObjectMeta metadata|2 PodSpec spec|3 PodStatus status",
  PodAffinity:
    "1 *PodAffinityTerm requiredDuringSchedulingIgnoredDuringExecution|2 *WeightedPodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution",
  PodAffinityTerm:
    "1 &LabelSelector labelSelector|2 *s namespaces|3 s topologyKey|4 &LabelSelector namespaceSelector|5 *s matchLabelKeys|6 *s mismatchLabelKeys",
  PodAntiAffinity:
    "1 *PodAffinityTerm requiredDuringSchedulingIgnoredDuringExecution|2 *WeightedPodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution",
  PodCertificateProjection:
    "1 s signerName|2 s keyType|3 &i maxExpirationSeconds|4 s credentialBundlePath|5 s keyPath|6 s certificateChainPath|7 %s userAnnotations",
  PodCondition:
    "1 s type|7 i observedGeneration|2 s status|3 T lastProbeTime|4 T lastTransitionTime|5 s reason|6 s message",
  PodDNSConfig: "1 *s nameservers|2 *s searches|3 *PodDNSConfigOption options",
  PodDNSConfigOption: "1 s name|2 &s value",
  PodExtendedResourceClaimStatus:
    "1 *ContainerExtendedResourceRequest requestMappings|2 s resourceClaimName",
  PodFailurePolicy: "1 *PodFailurePolicyRule rules",
  PodFailurePolicyOnExitCodesRequirement: "1 &s containerName|2 s operator|3 *i values",
  PodFailurePolicyOnPodConditionsPattern: "1 s type|2 s status",
  PodFailurePolicyRule:
    "1 s action|2 &PodFailurePolicyOnExitCodesRequirement onExitCodes|3 *PodFailurePolicyOnPodConditionsPattern onPodConditions",
  PodIP: "1 s ip",
  PodOS: "1 s name",
  PodReadinessGate: "1 s conditionType",
  PodResourceClaim: "1 s name|3 &s resourceClaimName|4 &s resourceClaimTemplateName",
  PodResourceClaimStatus: "1 s name|2 &s resourceClaimName",
  PodSchedulingGate: "1 s name",
  PodSecurityContext:
    "1 &SELinuxOptions seLinuxOptions|8 &WindowsSecurityContextOptions windowsOptions|2 &i runAsUser|6 &i runAsGroup|3 &b runAsNonRoot|4 *i supplementalGroups|12 &s supplementalGroupsPolicy|5 &i fsGroup|7 *Sysctl sysctls|9 &s fsGroupChangePolicy|10 &SeccompProfile seccompProfile|11 &AppArmorProfile appArmorProfile|13 &s seLinuxChangePolicy",
  PodSpec:
    "1 *Volume volumes|20 *Container initContainers|2 *Container containers|34 *EphemeralContainer ephemeralContainers|3 s restartPolicy|4 &i terminationGracePeriodSeconds|5 &i activeDeadlineSeconds|6 s dnsPolicy|7 %s nodeSelector|8 s serviceAccountName|9 s serviceAccount|21 &b automountServiceAccountToken|10 s nodeName|11 b hostNetwork|12 b hostPID|13 b hostIPC|27 &b shareProcessNamespace|14 &PodSecurityContext securityContext|15 *LocalObjectReference imagePullSecrets|16 s hostname|17 s subdomain|18 &Affinity affinity|19 s schedulerName|22 *Toleration tolerations|23 *HostAlias hostAliases|24 s priorityClassName|25 &i priority|26 &PodDNSConfig dnsConfig|28 *PodReadinessGate readinessGates|29 &s runtimeClassName|30 &b enableServiceLinks|31 &s preemptionPolicy|32 %Q overhead|33 *TopologySpreadConstraint topologySpreadConstraints|35 &b setHostnameAsFQDN|36 &PodOS os|37 &b hostUsers|38 *PodSchedulingGate schedulingGates|39 *PodResourceClaim resourceClaims|40 &ResourceRequirements resources|41 &s hostnameOverride|42 &WorkloadReference workloadRef",
  PodStatus:
    "17 i observedGeneration|1 s phase|2 *PodCondition conditions|3 s message|4 s reason|11 s nominatedNodeName|5 s hostIP|16 *HostIP hostIPs|6 s podIP|12 *PodIP podIPs|7 &T startTime|10 *ContainerStatus initContainerStatuses|8 *ContainerStatus containerStatuses|9 s qosClass|13 *ContainerStatus ephemeralContainerStatuses|14 s resize|15 *PodResourceClaimStatus resourceClaimStatuses|18 &PodExtendedResourceClaimStatus extendedResourceClaimStatus|19 %Q allocatedResources|20 &ResourceRequirements resources",
  PodTemplateSpec: "1 ObjectMeta metadata|2 PodSpec spec",
  PolicyRule: "1 *s verbs|2 *s apiGroups|3 *s resources|4 *s resourceNames|5 *s nonResourceURLs",
  PortStatus: "1 i port|2 s protocol|3 &s error",
  PortworxVolumeSource: "1 s volumeID|2 s fsType|3 b readOnly",
  Preconditions: "1 &s uid",
  PreferredSchedulingTerm: "1 i weight|2 NodeSelectorTerm preference",
  PriorityClass:
    "1 ObjectMeta metadata|2 i value|3 b globalDefault|4 s description|5 &s preemptionPolicy",
  Probe:
    "1 ^ProbeHandler handler|2 i initialDelaySeconds|3 i timeoutSeconds|4 i periodSeconds|5 i successThreshold|6 i failureThreshold|7 &i terminationGracePeriodSeconds",
  ProbeHandler:
    "1 &ExecAction exec|2 &HTTPGetAction httpGet|3 &TCPSocketAction tcpSocket|4 &GRPCAction grpc",
  ProjectedVolumeSource: "1 *VolumeProjection sources|2 &i defaultMode",
  QuobyteVolumeSource: "1 s registry|2 s volume|3 b readOnly|4 s user|5 s group|6 s tenant",
  RBDVolumeSource:
    "1 *s monitors|2 s image|3 s fsType|4 s pool|5 s user|6 s keyring|7 &LocalObjectReference secretRef|8 b readOnly",
  ResourceAttributes:
    "1 s namespace|2 s verb|3 s group|4 s version|5 s resource|6 s subresource|7 s name|8 &FieldSelectorAttributes fieldSelector|9 &LabelSelectorAttributes labelSelector",
  ResourceClaim: "1 s name|2 s request",
  ResourceFieldSelector: "1 s containerName|2 s resource|3 Q divisor",
  ResourceHealth: "1 s resourceID|2 s health",
  ResourceRequirements: "1 %Q limits|2 %Q requests|3 *ResourceClaim claims",
  ResourceRule: "1 *s verbs|2 *s apiGroups|3 *s resources|4 *s resourceNames",
  ResourceStatus: "1 s name|2 *ResourceHealth resources",
  Role: "1 ObjectMeta metadata|2 *PolicyRule rules",
  RoleBinding: "1 ObjectMeta metadata|2 *Subject subjects|3 RoleRef roleRef",
  RoleRef: "1 s apiGroup|2 s kind|3 s name",
  RuntimeClass: "1 ObjectMeta metadata|2 s handler|3 &Overhead overhead|4 &Scheduling scheduling",
  SELinuxOptions: "1 s user|2 s role|3 s type|4 s level",
  ScaleIOVolumeSource:
    "1 s gateway|2 s system|3 &LocalObjectReference secretRef|4 b sslEnabled|5 s protectionDomain|6 s storagePool|7 s storageMode|8 s volumeName|9 s fsType|10 b readOnly",
  Scheduling: "1 %s nodeSelector|2 *Toleration tolerations",
  SeccompProfile: "1 s type|2 &s localhostProfile",
  Secret: "1 ObjectMeta metadata|5 &b immutable|2 %y data|4 %s stringData|3 s type",
  SecretEnvSource: "1 ^LocalObjectReference localObjectReference|2 &b optional",
  SecretKeySelector: "1 ^LocalObjectReference localObjectReference|2 s key|3 &b optional",
  SecretProjection: "1 ^LocalObjectReference localObjectReference|2 *KeyToPath items|4 &b optional",
  SecretVolumeSource: "1 s secretName|2 *KeyToPath items|3 &i defaultMode|4 &b optional",
  SecurityContext:
    "1 &Capabilities capabilities|2 &b privileged|3 &SELinuxOptions seLinuxOptions|10 &WindowsSecurityContextOptions windowsOptions|4 &i runAsUser|8 &i runAsGroup|5 &b runAsNonRoot|6 &b readOnlyRootFilesystem|7 &b allowPrivilegeEscalation|9 &s procMount|11 &SeccompProfile seccompProfile|12 &AppArmorProfile appArmorProfile",
  SelfSubjectAccessReview:
    "1 ObjectMeta metadata|2 SelfSubjectAccessReviewSpec spec|3 SubjectAccessReviewStatus status",
  SelfSubjectAccessReviewSpec:
    "1 &ResourceAttributes resourceAttributes|2 &NonResourceAttributes nonResourceAttributes",
  SelfSubjectReview: "1 ObjectMeta metadata|2 SelfSubjectReviewStatus status",
  SelfSubjectReviewStatus: "1 UserInfo userInfo",
  SelfSubjectRulesReview:
    "1 ObjectMeta metadata|2 SelfSubjectRulesReviewSpec spec|3 SubjectRulesReviewStatus status",
  SelfSubjectRulesReviewSpec: "1 s namespace",
  Service: "1 ObjectMeta metadata|2 ServiceSpec spec|3 ServiceStatus status",
  ServiceAccount:
    "1 ObjectMeta metadata|2 *ObjectReference secrets|3 *LocalObjectReference imagePullSecrets|4 &b automountServiceAccountToken",
  ServiceAccountTokenProjection: "1 s audience|2 &i expirationSeconds|3 s path",
  ServicePort: "1 s name|2 s protocol|6 &s appProtocol|3 i port|4 X targetPort|5 i nodePort",
  ServiceSpec:
    "1 *ServicePort ports|2 %s selector|3 s clusterIP|18 *s clusterIPs|4 s type|5 *s externalIPs|7 s sessionAffinity|8 s loadBalancerIP|9 *s loadBalancerSourceRanges|10 s externalName|11 s externalTrafficPolicy|12 i healthCheckNodePort|13 b publishNotReadyAddresses|14 &SessionAffinityConfig sessionAffinityConfig|19 *s ipFamilies|17 &s ipFamilyPolicy|20 &b allocateLoadBalancerNodePorts|21 &s loadBalancerClass|22 &s internalTrafficPolicy|23 &s trafficDistribution",
  ServiceStatus: "1 LoadBalancerStatus loadBalancer|2 *Condition conditions",
  SessionAffinityConfig: "1 &ClientIPConfig clientIP",
  SleepAction: "1 i seconds",
  StorageClass:
    "1 ObjectMeta metadata|2 s provisioner|3 %s parameters|4 &s reclaimPolicy|5 *s mountOptions|6 &b allowVolumeExpansion|7 &s volumeBindingMode|8 *TopologySelectorTerm allowedTopologies",
  StorageOSVolumeSource:
    "1 s volumeName|2 s volumeNamespace|3 s fsType|4 b readOnly|5 &LocalObjectReference secretRef",
  Subject: "1 s kind|2 s apiGroup|3 s name|4 s namespace",
  SubjectAccessReview:
    "1 ObjectMeta metadata|2 SubjectAccessReviewSpec spec|3 SubjectAccessReviewStatus status",
  SubjectAccessReviewSpec:
    "1 &ResourceAttributes resourceAttributes|2 &NonResourceAttributes nonResourceAttributes|3 s user|4 *s groups|5 %L extra|6 s uid",
  SubjectAccessReviewStatus: "1 b allowed|4 b denied|2 s reason|3 s evaluationError",
  SubjectRulesReviewStatus:
    "1 *ResourceRule resourceRules|2 *NonResourceRule nonResourceRules|3 b incomplete|4 s evaluationError",
  SuccessPolicy: "1 *SuccessPolicyRule rules",
  SuccessPolicyRule: "1 &s succeededIndexes|2 &i succeededCount",
  Sysctl: "1 s name|2 s value",
  TCPSocketAction: "1 X port|2 s host",
  Taint: "1 s key|2 s value|3 s effect|4 &T timeAdded",
  TokenRequest: "1 ObjectMeta metadata|2 TokenRequestSpec spec|3 TokenRequestStatus status",
  TokenRequestSpec: "1 *s audiences|4 &i expirationSeconds|3 &BoundObjectReference boundObjectRef",
  TokenRequestStatus: "1 s token|2 T expirationTimestamp",
  TokenReview: "1 ObjectMeta metadata|2 TokenReviewSpec spec|3 TokenReviewStatus status",
  TokenReviewSpec: "1 s token|2 *s audiences",
  TokenReviewStatus: "1 b authenticated|2 UserInfo user|4 *s audiences|3 s error",
  Toleration: "1 s key|2 s operator|3 s value|4 s effect|5 &i tolerationSeconds",
  TopologySelectorLabelRequirement: "1 s key|2 *s values",
  TopologySelectorTerm: "1 *TopologySelectorLabelRequirement matchLabelExpressions",
  TopologySpreadConstraint:
    "1 i maxSkew|2 s topologyKey|3 s whenUnsatisfiable|4 &LabelSelector labelSelector|5 &i minDomains|6 &s nodeAffinityPolicy|7 &s nodeTaintsPolicy|8 *s matchLabelKeys",
  TypedLocalObjectReference: "1 &s apiGroup|2 s kind|3 s name",
  TypedObjectReference: "1 &s apiGroup|2 s kind|3 s name|4 &s namespace",
  UncountedTerminatedPods: "1 *s succeeded|2 *s failed",
  UserInfo: "1 s username|2 s uid|3 *s groups|4 %L extra",
  Volume: "1 s name|2 ^VolumeSource volumeSource",
  VolumeDevice: "1 s name|2 s devicePath",
  VolumeMount:
    "1 s name|2 b readOnly|7 &s recursiveReadOnly|3 s mountPath|4 s subPath|5 &s mountPropagation|6 s subPathExpr",
  VolumeMountStatus: "1 s name|2 s mountPath|3 b readOnly|4 &s recursiveReadOnly",
  VolumeProjection:
    "1 &SecretProjection secret|2 &DownwardAPIProjection downwardAPI|3 &ConfigMapProjection configMap|4 &ServiceAccountTokenProjection serviceAccountToken|5 &ClusterTrustBundleProjection clusterTrustBundle|6 &PodCertificateProjection podCertificate",
  VolumeResourceRequirements: "1 %Q limits|2 %Q requests",
  VolumeSource:
    "1 &HostPathVolumeSource hostPath|2 &EmptyDirVolumeSource emptyDir|3 &GCEPersistentDiskVolumeSource gcePersistentDisk|4 &AWSElasticBlockStoreVolumeSource awsElasticBlockStore|5 &GitRepoVolumeSource gitRepo|6 &SecretVolumeSource secret|7 &NFSVolumeSource nfs|8 &ISCSIVolumeSource iscsi|9 &GlusterfsVolumeSource glusterfs|10 &PersistentVolumeClaimVolumeSource persistentVolumeClaim|11 &RBDVolumeSource rbd|12 &FlexVolumeSource flexVolume|13 &CinderVolumeSource cinder|14 &CephFSVolumeSource cephfs|15 &FlockerVolumeSource flocker|16 &DownwardAPIVolumeSource downwardAPI|17 &FCVolumeSource fc|18 &AzureFileVolumeSource azureFile|19 &ConfigMapVolumeSource configMap|20 &VsphereVirtualDiskVolumeSource vsphereVolume|21 &QuobyteVolumeSource quobyte|22 &AzureDiskVolumeSource azureDisk|23 &PhotonPersistentDiskVolumeSource photonPersistentDisk|26 &ProjectedVolumeSource projected|24 &PortworxVolumeSource portworxVolume|25 &ScaleIOVolumeSource scaleIO|27 &StorageOSVolumeSource storageos|28 &CSIVolumeSource csi|29 &EphemeralVolumeSource ephemeral|30 &ImageVolumeSource image",
  VsphereVirtualDiskVolumeSource:
    "1 s volumePath|2 s fsType|3 s storagePolicyName|4 s storagePolicyID",
  WeightedPodAffinityTerm: "1 i weight|2 PodAffinityTerm podAffinityTerm",
  WindowsSecurityContextOptions:
    "1 &s gmsaCredentialSpecName|2 &s gmsaCredentialSpec|3 &s runAsUserName|4 &b hostProcess",
  WorkloadReference: "1 s name|2 s podGroup|3 s podGroupReplicaKey",
};
