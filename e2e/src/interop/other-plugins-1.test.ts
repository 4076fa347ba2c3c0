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
import { another, createBody, pod, uid } from "./peers/fixtures.ts";
import { goCall } from "./peers/go-http.ts";
import { OurNode, OurPlugin, ourServer } from "./peers/ours.ts";

// Section 1 of the reference (other plugins), row by row, and section 1 of the Slurm plugin's: what existing plugins do
// differently, behind our server, asked for many pods in one question, as our node asks.

const stranger = another("stranger", 9).pod;
const second = another("second", 2);

async function askAll(address: string, ...pods: object[]): Promise<string[]> {
  const answer = await goCall(address, "GET", "/status", JSON.stringify(pods));
  expect(answer.code).toBe(200);
  return (JSON.parse(answer.body) as { UID: string }[]).map(({ UID }) => UID).toSorted();
}

describe("/create", () => {
  test("body: Docker's wants a list, as no API server writes it; its words reach the user", async () => {
    await using plugin = await new DockerLike().listen();
    await using server = await ourServer(plugin.address);
    const { phase, reason } = await new ExistingNode(server.address).create(createBody);
    expect({ phase, reason }).toEqual({
      phase: "Failed",
      reason: expect.stringContaining(
        "cannot unmarshal object into Go value of type []RetrievedPodData",
      ),
    });
  });

  test("code: HTCondor's 201 with more fields is 200 with two for the node", async () => {
    await using plugin = await new CondorLike().listen();
    await using server = await ourServer(plugin.address);
    const answer = await goCall(server.address, "POST", "/create", createBody);
    expect(answer).toMatchObject({ code: 200, body: `{"PodUID":"${uid}","PodJID":"99"}` });
  });

  test("Kubernetes' 422 names the field, for a person", async () => {
    await using plugin = await new KubernetesLike().listen();
    const answer = await goCall(plugin.address, "POST", "/create", '{"pod":{}}');
    expect(answer.code).toBe(422);
    await using server = await ourServer(plugin.address);
    const { reason } = await new ExistingNode(server.address).create(another("refused", 3).body);
    expect(reason).toContain("(409)");
  });
});

describe("/delete", () => {
  test("replies are text, a JSON string or an object: none of them matters", async () => {
    for (const plugin of [
      new SlurmLike(),
      new KubernetesLike(),
      new CondorLike(),
      new DockerLike(),
    ]) {
      await using listening = await plugin.listen();
      plugin.jobs.set(uid, { pod, state: "running", log: "" });
      await using server = await ourServer(listening.address);
      await using node = new OurNode(server.address);
      await node.delete(pod);
      expect(plugin.jobs.size).toBe(0);
    }
  });

  test("of an unknown pod: HTCondor's 404 and Slurm's broken connection are told, and a delete may be repeated", async () => {
    await using condor = await new CondorLike().listen();
    await using first = await ourServer(condor.address);
    await using node = new OurNode(first.address);
    await expect(node.delete(pod)).rejects.toMatchObject({ code: "refused", httpStatus: 404 });
    await using slurm = await new SlurmLike().listen();
    await using other = await ourServer(slurm.address);
    expect((await new ExistingNode(other.address).delete(pod)).code).toBe(502);
  });
});

describe("/status", () => {
  test("methods: HTCondor takes only GET", async () => {
    await using plugin = await new CondorLike().listen();
    expect((await goCall(plugin.address, "POST", "/status", "[]")).code).toBe(405);
    await using server = await ourServer(plugin.address);
    // However the node asks.
    const answer = await goCall(server.address, "POST", "/status", JSON.stringify([stranger]));
    expect(answer).toMatchObject({ code: 200, body: "[]" });
  });

  test.each([
    ["null", () => new DockerLike()],
    ["[]", () => new KubernetesLike()],
    ['{"message":"HTCondor sidecar is alive","status":"healthy"}', () => new CondorLike()],
  ])("reply to []: %s makes every node ready", async (body, plugin) => {
    await using listening = await plugin().listen();
    await using server = await ourServer(listening.address);
    const { ready, answer } = await new ExistingNode(server.address).ping();
    expect({ ready, body: answer.body }).toEqual({ ready: true, body });
  });

  test.each([
    ["all of a list (Kubernetes)", () => new KubernetesLike()],
    ["the first of a list (HTCondor)", () => new CondorLike()],
    ["none of a list with a stranger: 404 (Docker)", () => new DockerLike()],
  ])("several pods: who answers for %s is asked until all are known", async (_, make) => {
    const plugin = make();
    await using listening = await plugin.listen();
    for (const one of [pod, second.pod]) {
      plugin.jobs.set(one.metadata?.uid ?? "", { pod: one, state: "running", log: "" });
    }
    await using server = await ourServer(listening.address);
    const both = [uid, second.pod.metadata?.uid ?? ""].toSorted();
    expect(await askAll(server.address, pod, second.pod)).toEqual(both);
    expect(await askAll(server.address, stranger, pod, second.pod)).toEqual(both);
    expect(await askAll(server.address, stranger)).toEqual([]);
  });

  test("several pods: a plugin on the SDK answers for the first, and fails for a stranger, which is not unknown then", async () => {
    await using plugin = await new SdkLike().listen();
    plugin.jobs.set(uid, { pod, state: "running", log: "" });
    await using server = await ourServer(plugin.address);
    expect(await askAll(server.address, pod)).toEqual([uid]);
    const answer = await goCall(server.address, "GET", "/status", JSON.stringify([stranger]));
    expect(answer).toMatchObject({ code: 500, body: "KeyError" });
  });

  test("Slurm's answer of the last 10 s, whatever is asked: what was not asked for does not reach the node", async () => {
    await using plugin = await new SlurmLike().listen();
    await using server = await ourServer(plugin.address);
    const node = new ExistingNode(server.address);
    await node.create(createBody);
    await node.create(second.body);
    expect((await node.status(pod))?.status.UID).toBe(uid);
    expect(await node.status(second.pod)).toBeUndefined();
    plugin.now += 10_000;
    expect((await node.status(second.pod))?.status.UID).toBe(second.pod.metadata?.uid);
  });

  test("Slurm's containers in no state, for a pod that it does not know: no word to our node", async () => {
    await using plugin = await new SlurmLike().listen();
    await using server = await ourServer(plugin.address);
    await using node = new OurNode(server.address);
    expect(await node.status(stranger)).toBeUndefined();
  });

  test("Docker's job id differs between create and status: the status does not change what is known", async () => {
    await using plugin = await new DockerLike().listen();
    plugin.jobs.set(uid, { pod, state: "running", log: "" });
    await using server = await ourServer(plugin.address);
    expect((await new ExistingNode(server.address).status(pod))?.status.JID).toBe("d34db33f");
  });

  test("our plugins never answer an empty list of containers, which existing nodes take for success", async () => {
    await using plugin = await new OurPlugin().listen();
    await using server = await new ExistingServer(plugin.address).listen();
    const node = new ExistingNode(server.address);
    await node.create(createBody);
    const status = await node.status(pod);
    expect(status?.phase).not.toBe("Succeeded");
    expect(status?.status.containers).toHaveLength(1);
  });

  test("init containers are not told by Kubernetes' and HTCondor's: a list that is not there is empty", async () => {
    await using plugin = await new KubernetesLike().listen();
    await using server = await ourServer(plugin.address);
    const node = new ExistingNode(server.address);
    await node.create(createBody);
    expect((await node.status(pod))?.status.initContainers).toBeNull();
  });
});

describe("/getLogs", () => {
  test("text, a JSON string as HTML, and an apology are handed on as bytes", async () => {
    for (const [plugin, said] of [
      [new SlurmLike(), ""],
      [new CondorLike(), '"NOT IMPLEMENTED"\n'],
      [new DockerLike(), "No logs available for container. Container not found."],
    ] as const) {
      await using listening = await plugin.listen();
      await using server = await ourServer(listening.address);
      const log = await new ExistingNode(server.address).logs(pod, "main");
      expect(log).toMatchObject({ code: 200, body: said });
    }
  });
});

describe("errors", () => {
  test.each([
    [
      "Slurm: plain text",
      504,
      "sbatch: error: Invalid --time specification",
      "sbatch: error: Invalid --time specification",
    ],
    ["Kubernetes: detail", 500, '{"detail":"ApiException: (409)"}', "ApiException: (409)"],
    ["HTCondor: error and timestamp", 404, '{"error":"no such job","timestamp":1}', "no such job"],
    [
      "HTCondor: Flask's page",
      500,
      "<!doctype html><title>500</title><h1>Internal Server Error</h1><p>Overloaded.</p>",
      "Internal Server Error Overloaded.",
    ],
  ])("%s reaches the user as a sentence, with its code", async (_, code, body, words) => {
    class Refusing extends SlurmLike {
      protected override answer(...[request, response]: Parameters<SlurmLike["answer"]>): void {
        if (request.path !== "/create") return super.answer(request, response);
        this.send(response, code, body, "text/plain");
      }
    }
    await using plugin = await new Refusing().listen();
    await using server = await ourServer(plugin.address);
    expect((await new ExistingNode(server.address).create(createBody)).reason).toBe(
      `error creating pod (HTTP ${code}): ${words}`,
    );
  });
});
