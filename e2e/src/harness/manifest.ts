/** What a test says about a pod; everything else is usual. */
export interface PodOptions {
  image?: string;
  /** For `sh -c`. Kubernetes makes `$` of `$$`. */
  command?: string;
  /** Added to, or instead of, what `spec` has. */
  spec?: Record<string, unknown>;
  container?: Record<string, unknown>;
}

/** A pod of one container, tolerating everything, never restarted, as JSON for `kubectl apply -f -`. */
export function podManifest(
  name: string,
  { image = "busybox:latest", command = "exit 0", spec, container }: PodOptions = {},
): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 5,
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "main",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["sh", "-c", command],
          ...container,
        },
      ],
      ...spec,
    },
  });
}
