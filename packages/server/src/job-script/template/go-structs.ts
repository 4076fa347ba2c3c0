/**
 * The structs of a job-script template's data, with Go's names (RetrievedPodData of the existing API server; core/v1 of
 * Kubernetes). `s` string, `i` whole number, `f` number, `b` bool, `q` quantity, `y` bytes (base64 in JSON), `?` JSON whose
 * inside is looked up by name in any letter case; `*` pointer, `[]` list, `{}` map by string. The key in JSON is the name in
 * another letter case unless `=key` says it; `!` instead of `:` embeds, and an empty key means the same object.
 */
export const STRUCTS: Readonly<Record<string, string>> = {
  RetrievedPodData: `Pod:Pod Containers:[]RetrievedContainer=container JobScriptBuild:ScriptBuildConfig=jobConfig JobScript:s`,
  RetrievedContainer: `Name:s ConfigMaps:[]ConfigMap ProjectedVolumeMaps:[]ConfigMap Secrets:[]Secret EmptyDirs:[]s`,
  ScriptBuildConfig: `SingularityHub:SingularityHubConfig=SingularityHubProxy ApptainerOptions:ApptainerOptions VolumesOptions:VolumesOptions=Volumes`,
  SingularityHubConfig: `Server:s MasterToken:s=master_token CacheValiditySeconds:i=cache_validity_seconds`,
  ApptainerOptions: `Executable:s Fakeroot:b ContainAll:b FuseMode:s NoInit:b NoHome:b NoPrivs:b NvidiaSupport:b Cleanenv:b Unsquash:b`,
  VolumesOptions: `ScratchArea:s=scratch_area ApptainerCacheDir:s=apptainer_cachedir ImageDir:s=image_dir
    AdditionalDirectoriesInPath:[]s=additional_directories_in_path FuseSleepSeconds:i=fuse_sleep_seconds`,

  TypeMeta: `Kind:s APIVersion:s`,
  ObjectMeta: `Name:s GenerateName:s Namespace:s SelfLink:s UID:s ResourceVersion:s Generation:i CreationTimestamp:s DeletionTimestamp:*s
    DeletionGracePeriodSeconds:*i Labels:{}s Annotations:{}s OwnerReferences:[]OwnerReference Finalizers:[]s ManagedFields:[]?`,
  OwnerReference: `APIVersion:s Kind:s Name:s UID:s Controller:*b BlockOwnerDeletion:*b`,
  ConfigMap: `TypeMeta!TypeMeta= ObjectMeta!ObjectMeta=metadata Immutable:*b Data:{}s BinaryData:{}y`,
  Secret: `TypeMeta!TypeMeta= ObjectMeta!ObjectMeta=metadata Immutable:*b Data:{}y StringData:{}s Type:s`,

  Pod: `TypeMeta!TypeMeta= ObjectMeta!ObjectMeta=metadata Spec:PodSpec Status:PodStatus`,
  PodSpec: `Volumes:[]Volume InitContainers:[]Container Containers:[]Container EphemeralContainers:[]? RestartPolicy:s
    TerminationGracePeriodSeconds:*i ActiveDeadlineSeconds:*i DNSPolicy:s NodeSelector:{}s ServiceAccountName:s
    DeprecatedServiceAccount:s=serviceAccount AutomountServiceAccountToken:*b NodeName:s HostNetwork:b HostPID:b HostIPC:b
    ShareProcessNamespace:*b SecurityContext:*PodSecurityContext ImagePullSecrets:[]LocalObjectReference Hostname:s Subdomain:s
    Affinity:*? SchedulerName:s Tolerations:[]Toleration HostAliases:[]? PriorityClassName:s Priority:*i DNSConfig:*?
    ReadinessGates:[]? RuntimeClassName:*s EnableServiceLinks:*b PreemptionPolicy:*s Overhead:{}q
    TopologySpreadConstraints:[]? SetHostnameAsFQDN:*b OS:*? HostUsers:*b SchedulingGates:[]? ResourceClaims:[]?
    Resources:*ResourceRequirements`,
  PodStatus: `Phase:s Conditions:[]? Message:s Reason:s NominatedNodeName:s HostIP:s HostIPs:[]? PodIP:s PodIPs:[]?
    StartTime:*s InitContainerStatuses:[]? ContainerStatuses:[]? QOSClass:s EphemeralContainerStatuses:[]? Resize:s`,
  LocalObjectReference: `Name:s`,
  PodSecurityContext: `SELinuxOptions:*? WindowsOptions:*? RunAsUser:*i RunAsGroup:*i RunAsNonRoot:*b SupplementalGroups:[]i
    SupplementalGroupsPolicy:*s FSGroup:*i Sysctls:[]? FSGroupChangePolicy:*s SeccompProfile:*? AppArmorProfile:*?`,
  Toleration: `Key:s Operator:s Value:s Effect:s TolerationSeconds:*i`,
  Container: `Name:s Image:s Command:[]s Args:[]s WorkingDir:s Ports:[]ContainerPort EnvFrom:[]? Env:[]EnvVar
    Resources:ResourceRequirements ResizePolicy:[]? RestartPolicy:*s VolumeMounts:[]VolumeMount VolumeDevices:[]?
    LivenessProbe:*? ReadinessProbe:*? StartupProbe:*? Lifecycle:*? TerminationMessagePath:s TerminationMessagePolicy:s
    ImagePullPolicy:s SecurityContext:*SecurityContext Stdin:b StdinOnce:b TTY:b`,
  ContainerPort: `Name:s HostPort:i ContainerPort:i Protocol:s HostIP:s`,
  EnvVar: `Name:s Value:s ValueFrom:*?`,
  ResourceRequirements: `Limits:{}q Requests:{}q Claims:[]?`,
  VolumeMount: `Name:s ReadOnly:b RecursiveReadOnly:*s MountPath:s SubPath:s MountPropagation:*s SubPathExpr:s`,
  SecurityContext: `Capabilities:*Capabilities Privileged:*b SELinuxOptions:*? WindowsOptions:*? RunAsUser:*i RunAsGroup:*i
    RunAsNonRoot:*b ReadOnlyRootFilesystem:*b AllowPrivilegeEscalation:*b ProcMount:*s SeccompProfile:*? AppArmorProfile:*?`,
  Capabilities: `Add:[]s Drop:[]s`,
  Volume: `Name:s VolumeSource!VolumeSource=`,
  VolumeSource: `HostPath:*HostPath EmptyDir:*EmptyDir Secret:*SecretVolume ConfigMap:*ConfigMapVolume PersistentVolumeClaim:*ClaimVolume
    Projected:*? DownwardAPI:*? NFS:*? CSI:*? ISCSI:*? CephFS:*? RBD:*? Ephemeral:*? Image:*?`,
  HostPath: `Path:s Type:*s`,
  EmptyDir: `Medium:s SizeLimit:*q`,
  SecretVolume: `SecretName:s Items:[]KeyToPath DefaultMode:*i Optional:*b`,
  ConfigMapVolume: `LocalObjectReference!LocalObjectReference= Items:[]KeyToPath DefaultMode:*i Optional:*b`,
  ClaimVolume: `ClaimName:s ReadOnly:b`,
  KeyToPath: `Key:s Path:s Mode:*i`,
};
