/** Why an ephemeral container (`kubectl debug`) does not start. */
export const EPHEMERAL_UNSUPPORTED = "ephemeral containers are not supported by this site";

/** A kubelet's words where it cannot resize (`pkg/kubelet/allocation/features_unsupported.go`). */
export const RESIZE_UNSUPPORTED = "In-place pod resize is not supported on this node";
