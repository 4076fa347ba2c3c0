import { describe, expect, test } from "vitest";
import { ExistingNode } from "./peers/existing-node.ts";
import {
  CondorLike,
  DockerLike,
  KubernetesLike,
  SdkLike,
  SlurmLike,
} from "./peers/existing-plugins.ts";
import { ExistingServer } from "./peers/existing-server.ts";
import { createBody, pod, uid } from "./peers/fixtures.ts";
import { OurNode, OurPlugin, ourServer } from "./peers/ours.ts";

// The life of a pod through every pairing of the peers that exist with ours. Existing peers together are there as well: what
// fails among them shows that the emulation has their habits, and what ours mend.

type AnyPlugin = SlurmLike | KubernetesLike | CondorLike | SdkLike | DockerLike | OurPlugin;

const plugins = {
  "existing Slurm plugin": () => new SlurmLike().listen(),
  "existing Kubernetes plugin": () => new KubernetesLike().listen(),
  "existing HTCondor plugin": () => new CondorLike().listen(),
  "plugin on the Python SDK": () => new SdkLike().listen(),
  "existing Docker plugin": () => new DockerLike().listen(),
  "our plugin": () => new OurPlugin().listen(),
};
const servers = {
  "existing API server": (plugin: string) => new ExistingServer(plugin).listen(),
  "our API server": (plugin: string) => ourServer(plugin),
};
const nodes = {
  "existing node": (server: string) => new ExistingNode(server),
  "our node": (server: string) => new OurNode(server),
};

const jobIds: Record<keyof typeof plugins, string> = {
  "existing Slurm plugin": "4711",
  "existing Kubernetes plugin": `remote-${uid}`,
  "existing HTCondor plugin": "99",
  "plugin on the Python SDK": `remote-${uid}`,
  "existing Docker plugin": "dind",
  "our plugin": "17",
};

const keys = <T extends object>(of: T) => Object.keys(of) as (keyof T & string)[];
const pairings = keys(nodes).flatMap((node) =>
  keys(servers).flatMap((server) => keys(plugins).map((plugin) => ({ node, server, plugin }))),
);

/**
 * Existing Docker plugins want a list, which nobody sends. A 201 is an error for existing peers, and each hop of ours mends
 * it: our server answers 200, and our node reads the answer out of what an existing server makes of it.
 */
function fails({ node, server, plugin }: (typeof pairings)[number]): string | undefined {
  if (plugin === "existing Docker plugin") return "cannot unmarshal object";
  const isExisting = server === "existing API server" && node === "existing node";
  return plugin === "existing HTCondor plugin" && isExisting ? "201" : undefined;
}

describe.each(pairings)("$node, $server, $plugin", (pairing) => {
  test("a pod is created once, told as it is, logged and deleted", async () => {
    await using plugin: AnyPlugin = await plugins[pairing.plugin]();
    await using server = await servers[pairing.server](plugin.address);
    const node = nodes[pairing.node](server.address);
    await using _node = node instanceof OurNode ? node : undefined;
    const later = () => {
      if (plugin instanceof SlurmLike) plugin.now += 10_000;
    };

    expect((await node.ping()).ready).toBe(pairing.plugin !== "plugin on the Python SDK");

    const created = await node.create(createBody);
    const failure = fails(pairing);
    if (failure !== undefined) {
      expect(created).toMatchObject({ phase: "Failed", reason: expect.stringContaining(failure) });
      return;
    }
    expect(created).toEqual({ phase: "Pending", reason: "", jobId: jobIds[pairing.plugin] });
    expect(plugin.creates).toBe(1);

    const waiting = await node.status(pod);
    expect(waiting?.phase).toBeUndefined();
    expect(waiting?.status.containers?.[0]).toMatchObject({ name: "main", state: { waiting: {} } });

    later();
    plugin.job(uid).state = "running";
    expect((await node.status(pod))?.phase).toBe("Running");

    later();
    plugin.job(uid).log = "one\n\u001b[31mtwo";
    plugin.job(uid).state = { exitCode: 3 };
    const ended = await node.status(pod);
    expect(ended).toMatchObject({
      phase: "Failed",
      status: { UID: uid, containers: [{ state: { terminated: { exitCode: 3 } } }] },
    });
    const log = await node.logs(pod, "main");
    expect(log).toMatchObject({
      code: 200,
      body: plugin instanceof CondorLike ? '"NOT IMPLEMENTED"\n' : "one\n\u001b[31mtwo",
    });

    await node.delete(pod);
    expect(plugin.jobs.size).toBe(0);
  });
});
