import type { Lease } from "kubernetes-types/coordination/v1.js";
import type { Node } from "kubernetes-types/core/v1.js";
import { expect } from "vitest";
import { waitUntil } from "../systems/wait-until.ts";
import { conditionOf, SLEEP } from "./pods.ts";
import type { Site } from "./site.ts";
import type { Group } from "./suite.ts";

const OWN_TAINT = { key: "virtual-node.interlink/no-schedule", operator: "Exists" };

/** Behaviours 24 to 27: the node among others, its lease, its taints, its events. */
export const node: Group = (behaviour) => {
  const nodeOf = (site: Site) => site.kubectl.json<Node>(["get", "node", "virtual"]);

  // Another node would get pods of other tests; so there are none then.
  behaviour(24, { alone: true }, async (site) => {
    const before = await nodeOf(site);
    const other = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "foreign", labels: { a: "1" } },
    };
    await site.apply(other);
    await site.kubectl.run(["label", "node", "foreign", "--overwrite", "a=2"]);
    await site.kubectl.run(["patch", "node", "foreign", "-p", '{"spec":{"unschedulable":true}}']);
    await waitUntil("the foreign node is replaced", async () => {
      const now = await site.kubectl.json<Node>(["get", "node", "foreign"]);
      const input = JSON.stringify({ ...now, metadata: { ...now.metadata, labels: { a: "3" } } });
      return (await site.kubectl.try(["replace", "-f", "-"], { input })).code === 0;
    });
    await site.kubectl.run(["delete", "node", "foreign", "--timeout=30s"]);
    expect(await site.output("beside-foreign", { command: "echo served" })).toBe("served\n");
    const pod = await site.system.pod("beside-foreign");
    expect(pod?.spec?.nodeName).toBe("virtual");
    await site.delete("beside-foreign");
    const after = await nodeOf(site);
    expect(after.metadata?.uid).toBe(before.metadata?.uid);
    expect(after.metadata?.labels).toEqual(before.metadata?.labels);
    expect(after.spec).toEqual(before.spec);
    expect(site.system.part("node").isOver).toBe(false);
  });

  behaviour(25, {}, async (site) => {
    const leaseOf = () =>
      site.kubectl.json<Lease>(["get", "lease", "-n", "kube-node-lease", "virtual"]);
    const beat = ({ status }: Node) =>
      Date.parse(
        String(status?.conditions?.find(({ type }) => type === "Ready")?.lastHeartbeatTime),
      );
    const [lease, first] = await Promise.all([leaseOf(), nodeOf(site)]);
    expect(lease.spec?.holderIdentity).toBe("virtual");
    expect(lease.metadata?.ownerReferences).toEqual([
      expect.objectContaining({
        apiVersion: "v1",
        kind: "Node",
        name: "virtual",
        uid: first.metadata?.uid,
      }),
    ]);
    const renewals = new Set<unknown>();
    await waitUntil(
      "the lease is renewed twice",
      async () => renewals.add((await leaseOf()).spec?.renewTime).size >= 3,
      60_000,
    );
    // A status that is rarely written: by a kubelet each 5 minutes when nothing changes.
    const between = beat(await nodeOf(site)) - beat(first);
    expect(between === 0 || between >= 60_000).toBe(true);
  });

  behaviour(26, { alone: true }, async (site) => {
    const toleration = (tolerationSeconds: number) => ({
      key: "example.com/evict",
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds,
    });
    const pods = { "evicted-soon": 1, "evicted-never": 60 };
    for (const [name, tolerated] of Object.entries(pods)) {
      const tolerations = [OWN_TAINT, toleration(tolerated)];
      await site.createPod(name, { command: SLEEP, spec: { tolerations } });
      await site.podReady(name);
    }
    const pod = await site.podReady("evicted-never");
    await site.kubectl.run(["taint", "node", "virtual", "example.com/evict=now:NoExecute"]);
    const gone = await site.podGone("evicted-soon");
    expect(gone.metadata?.deletionTimestamp).toBeDefined();
    await site.kubectl.run(["taint", "node", "virtual", "example.com/evict-"]);
    await waitUntil("the other eviction is cancelled", async () => {
      const events = await site.kubectl.run([
        "get",
        "events",
        "--field-selector",
        `involvedObject.name=evicted-never`,
      ]);
      return /Cancelling deletion/.test(events);
    });
    const stays = site.history.states("evicted-never").at(-1);
    expect(stays?.metadata?.deletionTimestamp).toBeUndefined();
    expect(conditionOf(stays, "Ready")?.status).toBe("True");
    expect(stays?.metadata?.uid).toBe(pod.metadata?.uid);
    await site.delete("evicted-never");
  });

  behaviour(27, {}, async (site) => {
    await site.createPod("eventful", { command: SLEEP });
    const pod = await site.podReady("eventful");
    const [scheduled] = await site.eventsOf(
      pod,
      ({ reason }) => reason === "Scheduled",
      "default-scheduler",
    );
    expect(scheduled?.message).toMatch(/Successfully assigned default\/eventful to virtual/);
    const told = await site.eventsOf(pod, ({ reason }) => reason === "Started");
    expect(told.map(({ source }) => source?.host)).toContain("virtual");
    expect(told.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(["Created", "Started"]),
    );
    await site.delete("eventful");
  });
};
