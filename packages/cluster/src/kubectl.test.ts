import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cluster, startCluster } from "./cluster.ts";
import { ApiClient } from "./testing/api-client.ts";
import { type FakeKubelet, fakeKubelet } from "./testing/fake-kubelet.ts";
import { type Kubectl, kubectlAvailable, kubectlUntil, kubectlWith } from "./testing/kubectl.ts";
import { must } from "./testing/must.ts";
import { nodeObject, podObject } from "./testing/objects.ts";

const timeout = 60_000;

describe.skipIf(!kubectlAvailable())("a real kubectl", { timeout }, () => {
  let cluster: Cluster;
  let kubelet: FakeKubelet;
  let admin: ApiClient;
  let kubectl: Kubectl;

  const ok = async (line: string | string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(line, input);
    if (code !== 0) throw new Error(`kubectl ${String(line)}: ${stderr}`);
    return stdout;
  };
  const manifest = (object: object): string => JSON.stringify({ apiVersion: "v1", ...object });
  const podStatus = (name: string, status: object) =>
    admin.patch(
      `/api/v1/namespaces/default/pods/${name}/status`,
      "application/strategic-merge-patch+json",
      { status },
    );
  const container = (state: object, ready = false): object => ({
    name: "main",
    image: "busybox",
    imageID: "",
    restartCount: 0,
    ready,
    state,
  });

  beforeAll(async () => {
    // Its node renews no lease: on a busy machine it would be given up before the last test.
    cluster = await startCluster({ nodeGracePeriodMs: 3_600_000 });
    admin = new ApiClient(cluster.kubeconfigYaml);
    kubectl = kubectlWith(cluster.kubeconfigFile);
    kubelet = await fakeKubelet(cluster.clientCaPem, (request, response) => {
      response.write("hello from the node\n");
      if (!request.url?.includes("follow=true")) response.end();
    });
    await admin.post("/api/v1/nodes", nodeObject("virtual", { port: kubelet.port }));
  }, timeout);

  afterAll(async () => {
    await kubelet[Symbol.asyncDispose]();
    await cluster.close();
  });

  it("finds its way: version, cluster-info, api-resources, api-versions", async () => {
    expect(await ok("version")).toContain("Server Version: v1.33.0");
    expect(await ok("cluster-info")).toContain(cluster.url);
    const resources = await ok("api-resources --no-headers");
    for (const kind of ["Pod", "Job", "Lease", "ServiceAccount"])
      expect(resources).toMatch(new RegExp(`\\b${kind}\n`));
    expect(await ok("api-versions")).toContain("batch/v1");
  });

  it("applies a pod, shows it in columns, describes it, changes it and applies again", async () => {
    const pod = { ...podObject("web"), metadata: { name: "web", labels: { app: "web" } } };
    expect(await ok("apply -f -", manifest(pod))).toBe("pod/web created\n");
    expect(await ok("apply -f -", manifest(pod))).toBe("pod/web unchanged\n");
    await ok("wait --for=jsonpath={.spec.nodeName}=virtual pod/web --timeout=45s");
    await podStatus("web", {
      phase: "Running",
      podIP: "10.0.0.9",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [container({ running: { startedAt: "2026-01-02T03:04:05Z" } }, true)],
    });
    expect(await ok("wait --for=condition=Ready pod/web --timeout=45s")).toContain("condition met");
    expect(await ok("get pods")).toMatch(
      /NAME +READY +STATUS +RESTARTS +AGE\nweb +1\/1 +Running +0 +\d+s/,
    );
    const wide = await ok("get pods -o wide -l app=web --field-selector status.phase=Running");
    expect(wide).toMatch(/web .* 10\.0\.0\.9 +virtual +<none> +<none>/);
    expect(await ok("get pods -A -o name")).toBe("pod/web\n");
    expect(await ok("get pod web -o jsonpath={.status.qosClass}")).toBe("BestEffort");
    const described = await ok("describe pod web");
    expect(described).toMatch(/Node: +virtual/);
    expect(described).toContain("Successfully assigned default/web to virtual");
    const changed = {
      ...podObject("web"),
      metadata: { name: "web", labels: { app: "web", tier: "a" } },
    };
    expect(await ok("apply -f -", manifest(changed))).toBe("pod/web configured\n");
    expect(await ok("get pods -L tier")).toMatch(/web .* a\n/);
    expect(await ok("diff -f -", manifest(changed))).toBe("");
  });

  it("refuses a typo, and a change of what cannot change, in the words of a real server", async () => {
    const spec = { containers: [{ name: "main", imagee: "busybox" }] };
    const typo = await kubectl(
      "create -f -",
      manifest({ kind: "Pod", metadata: { name: "typo" }, spec }),
    );
    expect(typo.stderr).toContain(
      'strict decoding error: unknown field "spec.containers[0].imagee"',
    );
    const other = podObject("web", {
      containers: [{ name: "main", image: "busybox", command: ["x"] }],
    });
    const change = await kubectl("apply -f -", manifest(other));
    expect(change.stderr).toContain(
      'The Pod "web" is invalid: spec: Forbidden: pod updates may not change fields other than',
    );
  });

  it("labels, annotates, patches and edits", async () => {
    await ok("run patched --image=busybox");
    await ok("label pod patched a=b");
    await ok("annotate pod patched c=d");
    await ok(["patch", "pod", "patched", "-p", '{"metadata":{"labels":{"e":"f"}}}']);
    await ok([
      "patch",
      "pod",
      "patched",
      "--type=merge",
      "-p",
      '{"metadata":{"labels":{"a":null}}}',
    ]);
    await ok([
      "patch",
      "pod",
      "patched",
      "--type=json",
      "-p",
      '[{"op":"add","path":"/metadata/labels/g","value":"h"}]',
    ]);
    expect(await ok("get pod patched -o jsonpath={.metadata.labels}")).toBe(
      '{"e":"f","g":"h","run":"patched"}',
    );
    await ok("set image pod/patched patched=alpine");
    expect(await ok("get pod patched -o jsonpath={.spec.containers[0].image}")).toBe("alpine");
  });

  it("creates without a manifest", async () => {
    await ok("create configmap settings --from-literal=a=b");
    expect(await ok("get configmap settings -o jsonpath={.data.a}")).toBe("b");
    await ok("create secret generic password --from-literal=p=q");
    expect(await ok("get secrets")).toMatch(/password +Opaque +1/);
    await ok("create serviceaccount robot");
    expect((await ok("create token robot --duration=1h")).split(".")).toHaveLength(3);
    await ok("create namespace other");
    await ok("create service clusterip api --tcp=80:8080");
    expect(await ok("get services")).toMatch(/api +ClusterIP +10\.96\.\d+\.\d+ +<none> +80\/TCP/);
    await ok("create clusterrolebinding robot --clusterrole=view --serviceaccount=default:robot");
    const as = "--as=system:serviceaccount:default:robot";
    expect(await ok(`auth can-i list pods ${as}`)).toBe("yes\n");
    expect((await kubectl(`auth can-i delete pods ${as}`)).stdout).toBe("no\n");
    expect(await ok(`auth can-i --list ${as}`)).toContain("selfsubjectaccessreviews");
    expect(await ok("auth whoami")).toContain("kubernetes-admin");
    expect(await ok("delete namespace other")).toContain('namespace "other" deleted');
  });

  it("shows logs, and follows them", async () => {
    expect(await ok("logs web --tail=3 --timestamps")).toBe("hello from the node\n");
    expect(kubelet.asked.at(-1)).toBe(
      "/containerLogs/default/web/main?timestamps=true&tailLines=3",
    );
    const followed = await kubectlUntil(cluster.kubeconfigFile, ["logs", "-f", "web"], (text) =>
      text.includes("hello"),
    );
    expect(followed).toBe("hello from the node\n");
  });

  it("watches", async () => {
    const seen = kubectlUntil(
      cluster.kubeconfigFile,
      ["get", "pods", "--watch", "--selector=run=watched"],
      (text) => text.includes("watched") && text.includes("Error"),
    );
    await ok("run watched --image=busybox");
    await podStatus("watched", {
      phase: "Failed",
      containerStatuses: [container({ terminated: { exitCode: 1, reason: "Error" } })],
    });
    expect(await seen).toMatch(/NAME +READY +STATUS[^]*watched +0\/1 +Error/);
  });

  it("runs a Job to its end", async () => {
    await ok("create job count --image=busybox -- echo 1");
    const path = "/api/v1/namespaces/default/pods?labelSelector=job-name%3Dcount";
    const { body } = await admin.until(
      path,
      (answer) => (answer.body.items as object[]).length === 1,
    );
    const [pod] = body.items as { metadata: { name: string } }[];
    await podStatus(must(pod).metadata.name, { phase: "Succeeded" });
    await ok("wait --for=condition=complete job/count --timeout=45s");
    expect(await ok("get jobs")).toMatch(/count +Complete +1\/1/);
    expect(await ok("describe job count")).toMatch(/Normal +Completed .* Job completed/);
    expect(await ok("delete job count")).toContain('job.batch "count" deleted');
    await admin.until(path, (answer) => (answer.body.items as object[]).length === 0);
  });

  it("deletes gracefully, by force and by selector", async () => {
    await ok("run slow --image=busybox");
    await ok("wait --for=jsonpath={.spec.nodeName}=virtual pod/slow --timeout=45s");
    await ok("delete pod slow --wait=false");
    expect(await ok("get pod slow")).toContain("Terminating");
    expect(await ok("delete pod slow --force --grace-period=0")).toContain("force deleted");
    expect((await kubectl("get pod slow")).stderr).toContain(
      'Error from server (NotFound): pods "slow" not found',
    );
    await ok("run one --image=busybox --labels=kill=me");
    await ok("run two --image=busybox --labels=kill=me");
    expect(await ok("delete pods -l kill=me --force --grace-period=0")).toMatch(
      /"one" force deleted[^]*"two" force deleted/,
    );
  });

  it("keeps nodes: get, describe, cordon, taint, label", async () => {
    expect(await ok("get nodes -o wide")).toMatch(
      /virtual +Ready +<none> +\d+s +v1\.33\.0 +127\.0\.0\.1/,
    );
    await ok("cordon virtual");
    expect(await ok("get nodes")).toContain("Ready,SchedulingDisabled");
    await ok("uncordon virtual");
    await ok("taint node virtual a=b:NoSchedule");
    await ok("label node virtual node-role.kubernetes.io/agent=");
    expect(await ok("get nodes")).toMatch(/virtual +Ready +agent/);
    const described = await ok("describe node virtual");
    expect(described).toContain("a=b:NoSchedule");
    expect(described).toMatch(/default +web/);
    await ok("taint node virtual a-");
  });

  it("explains every kind", async () => {
    expect(await ok("explain pods.spec.containers.image")).toContain("FIELD: image <string>");
    expect(await ok("explain pod.spec.tolerations.tolerationSeconds")).toContain("<integer>");
    for (const kind of ["nodes", "jobs", "leases", "configmaps", "roles"]) {
      expect(await ok(`explain ${kind}`)).toContain("DESCRIPTION:");
    }
  });

  it("applies on the server's side, owning what it applied", async () => {
    const map = (data: object): string =>
      manifest({ kind: "ConfigMap", metadata: { name: "owned" }, data });
    await ok("apply --server-side -f -", map({ a: "1", b: "2" }));
    await ok("apply --server-side -f -", map({ a: "1" }));
    expect(await ok("get configmap owned -o jsonpath={.data}")).toBe('{"a":"1"}');
    const other = await kubectl("apply --server-side --field-manager=other -f -", map({ a: "9" }));
    expect(other.stderr).toContain('conflict with "kubectl"');
    await ok("apply --server-side --field-manager=other --force-conflicts -f -", map({ a: "9" }));
    expect(await ok("get configmap owned -o jsonpath={.data.a}")).toBe("9");
  });

  it.each([
    [{ spec: { containers: [{ name: "c", image: "3" }] } }],
    [
      {
        spec: {
          containers: [{ name: "b", image: "9" }],
          "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
        },
      },
    ],
    [{ spec: { containers: [{ $patch: "delete", name: "a" }] } }],
    [{ spec: { volumes: [{ name: "v", $retainKeys: ["name", "emptyDir"], emptyDir: {} }] } }],
    [{ metadata: { finalizers: ["z/z"], "$deleteFromPrimitiveList/finalizers": ["x/x"] } }],
    [{ spec: { tolerations: [{ key: "q", operator: "Exists" }] } }],
    [
      {
        spec: {
          containers: [
            {
              name: "a",
              env: [
                { name: "N", value: "1" },
                { name: "E", value: null },
              ],
            },
          ],
        },
      },
    ],
    [{ spec: { nodeSelector: { $patch: "replace", b: "2" } } }],
  ])("merges %j as this server does", async (patch) => {
    const { strategicMerge } = await import("./patch/strategic-merge.ts");
    const object = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "local", finalizers: ["x/x", "y/y"] },
      spec: {
        nodeSelector: { a: "1" },
        containers: [
          { name: "a", image: "1", env: [{ name: "E", value: "0" }] },
          { name: "b", image: "2" },
        ],
        volumes: [
          { name: "v", hostPath: { path: "/x" } },
          { name: "w", emptyDir: {} },
        ],
        tolerations: [{ key: "p", operator: "Exists" }],
      },
    };
    const args = [
      "patch",
      "--local",
      "--type=strategic",
      "-f",
      "-",
      "-p",
      JSON.stringify(patch),
      "-o",
      "json",
    ];
    const real = JSON.parse(await ok(args, JSON.stringify(object))) as object;
    const ours = strategicMerge(object, JSON.parse(JSON.stringify(patch)), "Pod");
    const rounded = JSON.parse(
      JSON.stringify(real, (_key, value) =>
        value !== null &&
        typeof value === "object" &&
        Object.keys(value).length === 0 &&
        !Array.isArray(value)
          ? undefined
          : value,
      ),
    ) as object;
    const expected = JSON.parse(
      JSON.stringify(ours, (_key, value) =>
        value !== null &&
        typeof value === "object" &&
        Object.keys(value).length === 0 &&
        !Array.isArray(value)
          ? undefined
          : value,
      ),
    ) as object;
    expect(expected).toEqual(rounded);
  });
});
