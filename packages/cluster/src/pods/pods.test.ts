import type { PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { ApiError } from "../api/api-error.ts";
import { clone, type KubeObject } from "../api/object.ts";
import { replaceObject } from "../rest/update.ts";
import { must } from "../testing/must.ts";
import { podObject, podOf, put, testCall, testStorage } from "../testing/objects.ts";
import { defaultPullPolicy } from "./defaults.ts";
import { qosClass } from "./qos.ts";

function create(spec: Partial<PodSpec>): PodSpec {
  return podOf(put(testStorage(), "pods", podObject("web", spec))).spec as PodSpec;
}

function refused(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("image pull policy", () => {
  it.each([
    ["busybox", "Always"],
    ["busybox:latest", "Always"],
    ["busybox:1.36", "IfNotPresent"],
    ["host:5000/busybox", "Always"],
    ["host:5000/busybox:1", "IfNotPresent"],
    ["busybox@sha256:abc", "IfNotPresent"],
  ])("of %s is %s", (image, policy) => {
    expect(defaultPullPolicy(image)).toBe(policy);
  });
});

describe("defaults of a pod", () => {
  it("are those of a real API server", () => {
    const spec = create({});
    expect(spec).toMatchObject({
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      schedulerName: "default-scheduler",
      securityContext: {},
      serviceAccountName: "default",
      serviceAccount: "default",
      enableServiceLinks: true,
      priority: 0,
    });
    expect(spec.tolerations?.map((item) => [item.key, item.tolerationSeconds])).toEqual([
      ["node.kubernetes.io/not-ready", 300],
      ["node.kubernetes.io/unreachable", 300],
    ]);
  });

  it("take a negative grace period as one second", () => {
    const spec = create({ terminationGracePeriodSeconds: -5 });
    expect(spec.terminationGracePeriodSeconds).toBe(1);
  });

  it("mount the token, the CA and the namespace into every container", () => {
    const spec = create({ initContainers: [{ name: "init", image: "busybox" }] });
    const volume = spec.volumes?.find((item) => item.name.startsWith("kube-api-access-"));
    expect(volume?.projected?.sources?.map((source) => Object.keys(source)[0])).toEqual([
      "serviceAccountToken",
      "configMap",
      "downwardAPI",
    ]);
    for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
      expect(container.volumeMounts).toEqual([
        {
          name: volume?.name,
          readOnly: true,
          mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
        },
      ]);
    }
  });

  it("mount nothing where automountServiceAccountToken is false", () => {
    expect(create({ automountServiceAccountToken: false }).volumes).toBeUndefined();
  });

  it("take requests from limits, and fill in probes, ports and volumes", () => {
    const spec = create({
      containers: [
        {
          name: "main",
          image: "busybox:1",
          resources: { limits: { cpu: "1" }, requests: { memory: "1Gi" } },
          ports: [{ containerPort: 80 }],
          livenessProbe: { httpGet: { port: 80 } },
        },
      ],
      volumes: [{ name: "v" }, { name: "s", secret: { secretName: "x" } }],
    });
    const [container] = spec.containers;
    expect(container?.resources?.requests).toEqual({ cpu: "1", memory: "1Gi" });
    expect(container?.ports?.[0]?.protocol).toBe("TCP");
    expect(container?.livenessProbe).toEqual({
      httpGet: { port: 80, path: "/", scheme: "HTTP" },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    });
    expect(spec.volumes?.slice(0, 2)).toEqual([
      { name: "v", emptyDir: {} },
      { name: "s", secret: { secretName: "x", defaultMode: 420 } },
    ]);
  });
});

describe("QoS class", () => {
  const of = (resources: object): string => qosClass({ containers: [{ name: "a", resources }] });
  it.each([
    ["BestEffort", {}],
    ["Burstable", { requests: { cpu: "1" } }],
    ["Burstable", { limits: { cpu: "1" } }],
    ["Guaranteed", { limits: { cpu: "1", memory: "1Gi" } }],
    [
      "Guaranteed",
      { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "1000m", memory: "1024Mi" } },
    ],
    [
      "Burstable",
      { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m", memory: "1Gi" } },
    ],
    ["BestEffort", { limits: { "example.com/gpu": "1" } }],
  ])("is %s for %j", (expected, resources) => {
    expect(of(resources)).toBe(expected);
  });
});

describe("validation of a pod", () => {
  it.each<[string, Partial<PodSpec>, string]>([
    ["no containers", { containers: [] }, 'Pod "web" is invalid: spec.containers: Required value'],
    [
      "no image",
      { containers: [{ name: "a" }] },
      'Pod "web" is invalid: spec.containers[0].image: Required value',
    ],
    [
      "a volume that is not there",
      {
        automountServiceAccountToken: false,
        containers: [{ name: "a", image: "b", volumeMounts: [{ name: "x", mountPath: "/x" }] }],
      },
      'Pod "web" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "x"',
    ],
    [
      "two containers of one name",
      {
        containers: [
          { name: "a", image: "b" },
          { name: "a", image: "b" },
        ],
      },
      'Pod "web" is invalid: spec.containers[1].name: Duplicate value: "a"',
    ],
    [
      "a request above its limit",
      {
        containers: [
          { name: "a", image: "b", resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
        ],
      },
      'Pod "web" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      "an unknown restart policy",
      { restartPolicy: "Sometimes" },
      'Pod "web" is invalid: spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
    [
      "a service account that is not there",
      { serviceAccountName: "nobody" },
      'pods "web" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    ],
  ])("refuses %s", (_name, spec, message) => {
    expect(refused(() => create(spec))).toBe(message);
  });
});

describe("update of a pod", () => {
  const OWN = { key: "own", operator: "Exists" };
  function update(edit: (spec: PodSpec & Record<string, unknown>) => void): string {
    const storage = testStorage();
    const next = clone(put(storage, "pods", podObject("web", { tolerations: [OWN] })));
    edit(next.spec as PodSpec & Record<string, unknown>);
    const target = { definition: storage.must("pods"), namespace: "default" };
    return refused(() => replaceObject(storage, target, "web", next, testCall));
  }

  it.each<[string, (spec: PodSpec & Record<string, unknown>) => void]>([
    ["an image", (spec) => Object.assign(must(spec.containers[0]), { image: "other" })],
    ["a deadline", (spec) => Object.assign(spec, { activeDeadlineSeconds: 10 })],
    [
      "a further toleration",
      (spec) =>
        Object.assign(spec, {
          tolerations: [...(spec.tolerations ?? []), { key: "a", operator: "Exists" }],
        }),
    ],
    [
      "the tolerations of its manifest alone, as kubectl apply writes them",
      (spec) => Object.assign(spec, { tolerations: [OWN] }),
    ],
  ])("accepts %s", (_name, edit) => {
    expect(update(edit)).toBe("accepted");
  });

  it.each<[string, (spec: PodSpec & Record<string, unknown>) => void, string]>([
    [
      "another command",
      (spec) => Object.assign(must(spec.containers[0]), { command: ["x"] }),
      "pod updates may not change fields other than `spec.containers[*].image`",
    ],
    [
      "another node",
      (spec) => Object.assign(spec, { nodeName: "n" }),
      "pod updates may not change fields",
    ],
    [
      "one container more",
      (spec) =>
        Object.assign(spec, { containers: [...spec.containers, { name: "b", image: "c" }] }),
      "spec.containers: Forbidden: pod updates may not add or remove containers",
    ],
    [
      "a toleration less",
      (spec) => Object.assign(spec, { tolerations: [] }),
      "existing toleration can not be modified",
    ],
  ])("refuses %s", (_name, edit, message) => {
    expect(update(edit)).toContain(message);
  });
});

describe("status of a pod", () => {
  const ended = (exitCode: number): object => ({
    phase: "Running",
    containerStatuses: [
      {
        name: "main",
        ready: false,
        restartCount: 0,
        image: "",
        imageID: "",
        state: { terminated: { exitCode } },
      },
    ],
  });
  const running = {
    phase: "Running",
    containerStatuses: [
      {
        name: "main",
        ready: true,
        restartCount: 1,
        image: "",
        imageID: "",
        state: { running: {} },
      },
    ],
  };

  function statuses(
    restartPolicy: string,
    ...list: object[]
  ): { last: string; pod: KubeObject | undefined } {
    const storage = testStorage();
    put(storage, "pods", podObject("web", { restartPolicy }));
    const target = { definition: storage.must("pods"), namespace: "default" };
    let last = "";
    for (const status of list) {
      const next = { ...podObject("web"), status };
      last = refused(() => replaceObject(storage, target, "web", next, testCall, "status"));
    }
    return { last, pod: storage.find("pods", "default", "web") };
  }

  it.each([
    ["Never", 1, false],
    ["OnFailure", 0, false],
    ["OnFailure", 1, true],
    ["Always", 0, true],
  ])("with restartPolicy %s may leave an end with %i: %s", (policy, exitCode, allowed) => {
    const { last } = statuses(policy, ended(exitCode), running);
    if (allowed) expect(last).toBe("accepted");
    else expect(last).toContain("may not be transitioned to non-terminated state");
  });

  it("refuses another qosClass and a bad address", () => {
    expect(statuses("Never", { qosClass: "Guaranteed" }).last).toContain(
      'status.qosClass: Invalid value: "Guaranteed": field is immutable',
    );
    expect(statuses("Never", { podIP: "nonsense" }).last).toContain("must be a valid IP address");
  });

  it("keeps podIP and podIPs in step", () => {
    expect(podOf(statuses("Never", { podIP: "10.0.0.1" }).pod).status?.podIPs).toEqual([
      { ip: "10.0.0.1" },
    ]);
    expect(podOf(statuses("Never", { podIPs: [{ ip: "10.0.0.2" }] }).pod).status?.podIP).toBe(
      "10.0.0.2",
    );
  });
});
