/**
 * What the admission plugin NodeRestriction lets a node do to its own Node object, when it calls itself
 * `system:node:NAME` (plugin/pkg/admission/noderestriction; k8s.io/kubelet/pkg/apis/well_known_labels.go).
 */

const ownLabels = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
]);
const ownDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const guardedDomains = ["kubernetes.io", "k8s.io"];

/** Whether a node may set this label on itself. One label that it may not refuses the whole object. */
export function mayLabelItself(label: string): boolean {
  const domain = label.includes("/") ? label.slice(0, label.indexOf("/")) : "";
  if (isWithin(domain, "node-restriction.kubernetes.io")) return false;
  if (!guardedDomains.some((guarded) => isWithin(domain, guarded))) return true;
  return ownLabels.has(label) || ownDomains.some((own) => isWithin(domain, own));
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}
