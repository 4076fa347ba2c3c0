import { expect } from "vitest";
import { NO_ADDRESS } from "./network.ts";
import { configMap } from "./pod-helpers.ts";
import type { Group } from "./suite.ts";
import { tlsFront } from "./tls-front.ts";

const GROUP = "conformance.interlink.test";

const THING = JSON.stringify({ kind: "Thing", apiVersion: `${GROUP}/v1`, metadata: { name: "a" } });
const RESOURCES = JSON.stringify({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: `${GROUP}/v1`,
  resources: [
    { name: "things", singularName: "thing", namespaced: false, kind: "Thing", verbs: ["get"] },
  ],
});
const REVIEW = JSON.stringify({
  kind: "AdmissionReview",
  apiVersion: "admission.k8s.io/v1",
  response: { uid: "UID", allowed: false, status: { message: "a pod says no" } },
});

/** One HTTP request on standard input and output: reviews of admission, and an API of its own. */
const SERVE = `#!/bin/sh
read -r method path version
length=0
while read -r line; do
  line=$(printf %s "$line" | tr -d '\\r')
  [ -z "$line" ] && break
  case "$line" in [Cc]ontent-[Ll]ength:*) length=\${line#*: } ;; esac
done
body=$(head -c "$length")
case "$path" in
  /review*) uid=$(printf %s "$body" | grep -o '"uid":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
    answer=$(printf %s '${REVIEW}' | sed "s/UID/$uid/") ;;
  */things/*) answer='${THING}' ;;
  *) answer='${RESOURCES}' ;;
esac
printf 'HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s' "\${#answer}" "$answer"
`;

/** The part of behaviour 91 that asks pods: webhooks and aggregated APIs. */
export const extensions: Group = (behaviour) => {
  // An API that comes and goes changes what every client discovers.
  const note = {
    docker: "TLS ends in front of the pod, as no program of the test image speaks it.",
  };
  behaviour(91, { notApplicable: NO_ADDRESS, note, alone: true }, async (site) => {
    const name = "extension";
    await site.apply(configMap(name, { serve: SERVE }));
    await site.createPod(name, {
      command: "exec nc -ll -p 8080 -e /app/serve",
      spec: { volumes: [{ name: "app", configMap: { name, defaultMode: 0o755 } }] },
      container: {
        volumeMounts: [{ name: "app", mountPath: "/app" }],
        readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
      },
    });
    const { status } = await site.podReady(name);
    await using front = await tlsFront(status?.podIP ?? "", 8080, [
      "localhost",
      `${name}.default.svc`,
    ]);

    const rule = { apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] };
    const caBundle = Buffer.from(front.authority).toString("base64");
    await site.apply({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name },
      webhooks: [
        {
          name: `deny.${GROUP}`,
          clientConfig: { url: `https://localhost:${front.port}/review`, caBundle },
          rules: [{ ...rule, operations: ["CREATE"] }],
          objectSelector: { matchLabels: { "ask-a-pod": "yes" } },
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
        },
      ],
    });
    const asked = configMap(
      "asked",
      {},
      { metadata: { name: "asked", labels: { "ask-a-pod": "yes" } } },
    );
    await expect.poll(() => answerTo(asked), { timeout: 20_000 }).toContain("a pod says no");
    await site.kubectl.run(["delete", "validatingwebhookconfiguration", name]);

    const service = { name, namespace: "default", port: front.port };
    await site.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { type: "ExternalName", externalName: "localhost" },
    });
    await site.apply({
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: `v1.${GROUP}` },
      spec: {
        group: GROUP,
        version: "v1",
        service,
        caBundle,
        groupPriorityMinimum: 100,
        versionPriority: 1,
      },
    });
    await site.kubectl.run([
      "wait",
      `apiservice/v1.${GROUP}`,
      "--for=condition=Available",
      "--timeout=30s",
    ]);
    // It is routed a moment after it is available.
    const raw = ["get", "--raw", `/apis/${GROUP}/v1/things/a`];
    const thing = async () => (await site.kubectl.try(raw)).stdout;
    await expect.poll(thing, { timeout: 20_000 }).toBe(THING);
    await site.kubectl.run(["delete", "apiservice", `v1.${GROUP}`]);
    await site.kubectl.run(["delete", `service/${name}`, `configmap/${name}`]);
    await site.delete(name);

    /** What the API server says to a try that changes nothing. */
    async function answerTo(object: object): Promise<string> {
      const input = JSON.stringify(object);
      const args = ["create", "--dry-run=server", "-f", "-"];
      return (await site.kubectl.try(args, { input })).stderr;
    }
  });
};
