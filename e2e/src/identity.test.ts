import { existsSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { NODE_CHECKPOINTS } from "@interlink/node";
import type { Event } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { podManifest } from "./harness/manifest.ts";
import { System } from "./harness/system.ts";
import { deployed, type Role, rightsOf, uses, words } from "./identity/cluster-rules.ts";
import { Story } from "./identity/story.ts";
import type { ServerRequest } from "./systems/audit-log.ts";
import { describeClusters, describeKubernetes } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

const SERVING = "kubernetes.io/kubelet-serving";
const account = { serviceAccount: "virtual-node", namespace: "interlink" };

describeClusters("a virtual node with a ServiceAccount and the rights of deploy/node", (target) => {
  let system: System;
  let story: Story;

  beforeAll(async () => {
    system = await System.start({
      plugin: { name: "process" },
      target,
      nodeFlags: ["--serving-certificate", "csr"],
      nodeUser: async (cluster, kubectl) => {
        for (const file of ["namespace", "service-account", "rbac"]) {
          const input = await deployed(`node/${file}.yaml`, "virtual");
          await kubectl.run(["apply", "-f", "-"], { input });
        }
        return cluster.credentialsFor(account);
      },
    });
    story = new Story(system);
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  test("runs pods that name ConfigMaps, Secrets, tokens and services, in any namespace", async () => {
    await story.podWithEverything("everything");
    await story.kubectl("create", "namespace", "team");
    await waitUntil("the namespace has its ServiceAccount", async () => {
      const found = await system.kubectl.try(["get", "serviceaccount", "default", "-n", "team"]);
      return found.code === 0;
    });
    await story.podWithEverything("everything", "team");
  });

  test("counts up an event that happens again", async () => {
    await story.apply(
      podManifest("again", { command: "exit 1", spec: { restartPolicy: "Always" } }),
    );
    await waitUntil("an event of the pod is counted up", async () => {
      const { items } = await system.kubectl.json<{ items: Event[] }>(["get", "events"]);
      return items.some((one) => one.involvedObject.name === "again" && (one.count ?? 0) > 1);
    });
    await story.kubectl("delete", "pod", "again");
  });

  test("serves a certificate of the cluster once it is approved, and knows callers by their tokens", async () => {
    await story.approve(SERVING);
    const [config, ca] = await Promise.all([
      system.cluster.credentialsFor(account),
      readFile(system.cluster.clientCaFile, "utf8"),
    ]);
    const token = /"?token"?: ?"?([\w.-]+)/.exec(config)?.[1] ?? "";
    await waitUntil(
      "the cluster's certificate is served, and the caller is known but not allowed",
      () =>
        story.askKubelet("/pods", ca, token).then(
          (code) => code === 403,
          () => false,
        ),
    );
    expect(await story.askKubelet("/pods", ca, "nobody")).toBe(401);
    await waitUntil("the certificate is kept", () => existsSync(servingFile()));
    expect(statSync(servingFile()).mode & 0o777).toBe(0o600);
  });

  const servingFile = () => join(system.directory, "certificates", "kubelet-serving.pem");

  test("finds itself, its pods and jobs without a pod after kill -9, and puts its taint back", async () => {
    await story.runs("kept");
    await story.runs("orphan");
    await system.kill9("node");
    const requests = (await story.kubectl("get", "csr", "-o", "name")).trim().split("\n");
    await story.kubectl("delete", "pod", "orphan", "--force", "--grace-period=0");
    await story.kubectl("taint", "node", system.nodeName, "virtual-node.interlink/no-schedule-");
    await system.launch("node");
    await waitUntil("the taint is back", async () =>
      (await story.node()).spec?.taints?.some(
        ({ key }) => key === "virtual-node.interlink/no-schedule",
      ),
    );
    expect((await system.pod("kept"))?.status?.phase).toBe("Running");
    expect(await story.kubectl("logs", "kept")).toBe("");
    await story.kubectl("delete", "pod", "kept");
    // The certificate that was kept is served again: nobody is asked for another.
    expect((await story.kubectl("get", "csr", "-o", "name")).trim().split("\n")).toEqual(requests);
  });

  test("takes a new token from its kubeconfig when the old one is not accepted any more", async () => {
    const file = join(system.directory, "node.kubeconfig");
    await story.kubectl("delete", "serviceaccount", "virtual-node", "-n", "interlink");
    await story.kubectl("create", "serviceaccount", "virtual-node", "-n", "interlink");
    await writeFile(file, await system.cluster.credentialsFor(account));
    await story.apply(podManifest("renewed"));
    await system.podInPhase("renewed", "Succeeded");
    await story.kubectl("delete", "pod", "renewed");
  });

  test.runIf(target.kind === "real")("can be applied whole, as it stands in deploy/", async () => {
    for (const folder of ["node", "node-certificate"]) {
      const path = fileURLToPath(new URL(`../../deploy/${folder}`, import.meta.url));
      expect(await story.kubectl("apply", "-k", path, "--dry-run=server")).toMatch(/dry run/);
    }
  });

  test.runIf(target.kind === "real")(
    "asked for nothing that these rights do not allow, and used each of them",
    async () => {
      const own = "system:serviceaccount:interlink:virtual-node";
      const all = async () =>
        (await system.cluster.requests?.())?.filter(({ user }) => user === own);
      const name = "interlink-virtual-node";
      const granted = rightsOf([
        await system.kubectl.json<Role>(["get", "clusterrole", name]),
        await system.kubectl.json<Role>(["get", "role", name, "-n", "kube-node-lease"]),
      ]);
      // The job without a pod is looked for twice, ten seconds apart.
      const unused = await waitUntil("each right is used", async () => {
        const requests = (await all()) ?? [];
        const left = granted.filter((right) => !requests.some((one) => uses(right, one)));
        return left.length === 0 ? left : undefined;
      }).catch(async () => {
        const requests = (await all()) ?? [];
        return granted.filter((right) => !requests.some((one) => uses(right, one)));
      });
      expect(unused.map(words)).toEqual([]);
      const requests = (await all()) ?? [];
      expect(requests.filter(({ code }) => code === 403).map(words)).toEqual([]);
      // Its other role is Kubernetes' own, for one ConfigMap.
      const published = "extension-apiserver-authentication";
      const foreign = requests.filter(
        (one) => !granted.some((right) => uses(right, one)) && one.name !== published,
      );
      expect(foreign.map(words)).toEqual([]);
      expect(requests.some(({ name }) => name === published)).toBe(true);
      expect(requests.filter(isTooWide).map(({ path }) => path)).toEqual([]);
    },
  );
});

/** A list or watch of all there are, where one name or one node would do. */
function isTooWide({ verb, resource, path }: ServerRequest): boolean {
  if (verb !== "list" && verb !== "watch") return false;
  if (resource === "pods")
    return !decodeURIComponent(path).includes("fieldSelector=spec.nodeName=");
  if (resource === "services") return !path.includes("/namespaces/");
  return !decodeURIComponent(path).includes("fieldSelector=metadata.name=");
}

describeKubernetes("a virtual node that is system:node:NAME, under NodeRestriction", (target) => {
  let system: System;
  let story: Story;
  const own = { user: "system:node:virtual", groups: ["system:nodes"] };

  beforeAll(async () => {
    system = await System.start({
      plugin: { name: "process" },
      target,
      nodeFlags: ["--label", "node-role.kubernetes.io/remote=", "--label", "team=blue"],
      nodeUser: async (cluster, kubectl) => {
        const input = await deployed("node-certificate/rbac.yaml", "virtual");
        await kubectl.run(["apply", "-f", "-"], { input });
        return cluster.credentialsFor(own);
      },
    });
    story = new Story(system);
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  test("registers with the labels that it may set, and its taints", async () => {
    const { metadata, spec } = await story.node();
    expect(metadata?.labels).toMatchObject({ team: "blue", type: "virtual-kubelet" });
    expect(Object.keys(metadata?.labels ?? {})).not.toContain("node-role.kubernetes.io/remote");
    expect(spec?.taints?.map(({ key }) => key)).toContain("virtual-node.interlink/no-schedule");
    await system.part("node").output(/node-role.kubernetes.io\/remote.*kubectl label node/);
  });

  test("runs pods that name ConfigMaps, Secrets, tokens and services", async () => {
    await story.podWithEverything("everything");
  });

  test("reads a Secret at once after binding, however late the authorizer learns of the pod", async () => {
    await story.kubectl("create", "secret", "generic", "word", "--from-literal=word=two");
    const names = Array.from({ length: 10 }, (_, index) => `bound-${index}`);
    const env = [{ name: "SECRET", valueFrom: { secretKeyRef: { name: "word", key: "word" } } }];
    await story.apply(
      ...names.map((name) => podManifest(name, { command: "echo $SECRET", container: { env } })),
    );
    for (const name of names) await system.podInPhase(name, "Succeeded");
    await story.kubectl("delete", "pods", ...names);
  });

  test("asks for its serving certificate by itself, as kubelets do, and is called with it", async () => {
    await story.approve(SERVING);
    const ca = await readFile(system.cluster.clientCaFile, "utf8");
    const port = (await story.node()).status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
    const subject = await waitUntil("the cluster's certificate is served", () =>
      servedSubject(port, ca),
    );
    expect(subject).toEqual({ O: "system:nodes", CN: "system:node:virtual" });
    await story.runs("called");
    expect(await story.kubectl("logs", "called")).toBe("");
    await story.kubectl("delete", "pod", "called");
  });

  test("leaves a taint that somebody took off to administrators", async () => {
    await story.kubectl("taint", "node", "virtual", "virtual-node.interlink/no-schedule-");
    await system.part("node").output(/may not change its taints/);
    await story.kubectl(
      "taint",
      "node",
      "virtual",
      "virtual-node.interlink/no-schedule=true:NoSchedule",
    );
  });

  describe("kill -9 of the node", () => {
    test.each([...NODE_CHECKPOINTS])(
      "at %s: the pod runs once and ends, or is gone",
      async (step) => {
        const name = `crash-${step.replaceAll(/[^a-z0-9]+/g, "-")}`;
        const deletes = step.includes("delete");
        const runs = join(system.directory, name);
        const command = `echo run >> ${runs}; ${deletes ? "exec sleep 1000" : "exit 0"}`;
        if (deletes) {
          await story.apply(podManifest(name, { command }));
          await system.podInPhase(name, "Running");
        }
        await system.kill9("node");
        const crashing = await system.launch("node", { INTERLINK_CRASH_AT: step });
        if (deletes) await story.kubectl("delete", "pod", name, "--wait=false");
        else await story.apply(podManifest(name, { command }));
        expect((await crashing.ended).signal).toBe("SIGKILL");
        await system.launch("node");
        if (!deletes) {
          await system.podInPhase(name, "Succeeded");
          await story.kubectl("delete", "pod", name, "--timeout=60s");
        }
        await waitUntil("the pod is gone", async () => (await system.pod(name)) === undefined);
        expect((await readFile(runs, "utf8")).trim()).toBe("run");
      },
    );
  });

  test("asked for one object or its own pods at a time, and was refused only what it asks again", async () => {
    const requests = ((await system.cluster.requests?.()) ?? []).filter(
      ({ user }) => user === own.user,
    );
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter(isTooWide).map(({ path }) => path)).toEqual([]);
    // The authorizer learns of a binding a moment later than the node.
    const late = ["configmaps", "secrets", "serviceaccounts/token"];
    const refused = requests.filter(
      ({ code, resource }) => code === 403 && !late.includes(resource),
    );
    expect(refused.map(words)).toEqual([]);
  });
});

/** The subject of the certificate that is served, when this authority signed it. */
function servedSubject(port: number, ca: string): Promise<object | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, ca }, () => {
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      resolve({ ...subject });
    });
    socket.on("error", () => resolve(undefined));
  });
}

describeClusters("a virtual node whose certificates run out", (target) => {
  let system: System;
  let story: Story;
  // What is signed is dated five minutes back: with a minute to live, 70–90 % of the life are over in 20 s at the latest.
  const seconds = 60;

  beforeAll(async () => {
    system = await System.start({
      plugin: { name: "process" },
      target,
      cluster: { certificateSeconds: seconds },
      nodeUser: async (cluster, kubectl) => {
        const input = await deployed("node-certificate/rbac.yaml", "virtual");
        await kubectl.run(["apply", "-f", "-"], { input });
        return cluster.credentialsFor({
          user: "system:node:virtual",
          groups: ["system:nodes"],
          seconds: 30,
        });
      },
    });
    story = new Story(system);
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  test("renews the serving certificate in time, and serves the new one without a restart", async () => {
    const ca = await readFile(system.cluster.clientCaFile, "utf8");
    const port = (await story.node()).status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
    await story.approve(SERVING);
    const serial = () => servedSerial(port, ca);
    const first = await waitUntil("the cluster's certificate is served", serial);
    await story.approve(SERVING);
    await waitUntil("another one is served", async () => {
      const now = await serial();
      return now !== undefined && now !== first;
    });
  });

  test("renews its client certificate by itself, and goes on when the first one has run out", async () => {
    const kept = join(system.directory, "certificates", "kube-client.pem");
    await waitUntil("a renewed client certificate is kept", () => existsSync(kept));
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    await waitUntil(
      "the first client certificate is not accepted any more",
      async () => {
        const file = join(system.directory, "node.kubeconfig");
        const { code } = await system.kubectl.try(["--kubeconfig", file, "get", "node", "virtual"]);
        return code !== 0;
      },
      60_000,
    );
    await story.apply(podManifest("later"));
    await system.podInPhase("later", "Succeeded");
    const lease = () =>
      story.kubectl(
        "get",
        "lease",
        "virtual",
        "-n",
        "kube-node-lease",
        "-o",
        "jsonpath={.spec.renewTime}",
      );
    const before = await lease();
    await waitUntil("the lease is renewed too", async () => (await lease()) !== before);
  });
});

function servedSerial(port: number, ca: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, ca }, () => {
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      resolve(serialNumber);
    });
    socket.on("error", () => resolve(undefined));
  });
}
