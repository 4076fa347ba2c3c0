import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import type { Container, PodSpec } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

/** What a person does with the engine's own command. */
const HANDS = {
  "docker rm -f": { method: "DELETE", path: "", query: { force: true } },
  "docker stop": { method: "POST", path: "/stop", query: { t: 0 } },
  "docker kill": { method: "POST", path: "/kill", query: {} },
} as const;
type Hand = keyof typeof HANDS;
const hands = Object.keys(HANDS) as Hand[];

/** By SIGKILL, or by themselves on SIGTERM. */
const KILLED = [137, 1];

describeEngines("what somebody does to containers by hand", (engine) => {
  let fixture: ProviderFixture;
  beforeAll(async () => {
    fixture = await ProviderFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  /** Adds a line to a file of the host each time that it runs, and stays. */
  const counting = (file: string, name: string): Container => ({
    name,
    image: BUSYBOX,
    imagePullPolicy: "IfNotPresent",
    command: [
      "sh",
      "-c",
      `trap 'exit 1' TERM; echo ${name} >> /host/${file}; while true; do usleep 50000; done`,
    ],
    volumeMounts: [{ name: "host", mountPath: "/host" }],
  });

  /** A pod that runs, with a sidecar. `runs` tells what has run so far, in order. */
  async function pod(restartPolicy: NonNullable<PodSpec["restartPolicy"]>, file: string) {
    const data = await fixture.create({
      restartPolicy,
      terminationGracePeriodSeconds: 5,
      initContainers: [{ ...counting(file, "sidecar"), restartPolicy: "Always" }],
      containers: [counting(file, "main")],
      volumes: [{ name: "host", hostPath: { path: fixture.folder } }],
    });
    await fixture.running(data);
    const runs = async (): Promise<string[]> =>
      (await readFile(join(fixture.folder, file), "utf8").catch(() => "")).trim().split("\n");
    await waitUntil("both have counted", async () => (await runs()).length === 2);
    return { data, runs };
  }

  /** Id of the newest of a container's attempts; of the sandbox with `POD`. */
  async function idOf(data: RetrievedPodData, name: string): Promise<string> {
    if (name === "POD") {
      const filters = {
        label: [`interlink.pod.uid=${data.pod.metadata?.uid}`, "interlink.kind=sandbox"],
      };
      const [found] = await fixture.engine.json<{ Id: string }[]>({
        method: "GET",
        path: "/containers/json",
        query: { filters },
        signal: fixture.signal,
      });
      if (found !== undefined) return found.Id;
      throw new Error("There is no sandbox.");
    }
    const { containerID = "" } = (await fixture.container(data, name)) ?? {};
    return containerID.replace(/^docker:\/\//, "");
  }

  async function by(hand: Hand, data: RetrievedPodData, name: string): Promise<void> {
    const { path, ...request } = HANDS[hand];
    const id = await idOf(data, name);
    await fixture.engine.json({
      ...request,
      path: `/containers/${id}${path}`,
      signal: fixture.signal,
    });
  }

  it.each(hands)("%s of a container that always restarts: it runs again, once", async (hand) => {
    const { data, runs } = await pod("Always", `always-${hand.replaceAll(" ", "")}`);
    await by(hand, data, "main");
    const again = await fixture.containerWhere(
      data,
      "main",
      ({ restartCount, state }) => restartCount === 1 && state?.running !== undefined,
    );
    expect(KILLED).toContain(again.lastState?.terminated?.exitCode);
    await waitUntil("it has counted", async () => (await runs()).length === 3);
    expect(await runs()).toEqual(["sidecar", "main", "main"]);
    expect((await fixture.container(data, "sidecar"))?.restartCount).toBe(0);
    await fixture.remove(data, 0);
    expect(await runs()).toHaveLength(3);
  });

  it.each(hands)("%s of a container that never restarts: the pod has failed", async (hand) => {
    const { data, runs } = await pod("Never", `never-${hand.replaceAll(" ", "")}`);
    await by(hand, data, "main");
    const ended = await fixture.ended(data);
    expect(ended.restartCount).toBe(0);
    expect(KILLED).toContain(ended.state?.terminated?.exitCode);
    // One that was removed is gone, perhaps, before anybody could look how it ended.
    expect(ended.state?.terminated?.reason).toMatch(
      hand === "docker rm -f" ? /^(ContainerStatusUnknown|Error)$/ : /^Error$/,
    );
    // The sidecar has nobody to serve any more.
    await fixture.containerWhere(data, "sidecar", ({ state }) => state?.terminated !== undefined);
    // What was asked for once more finds what has been.
    await fixture.provider.create(data, fixture.signal);
    expect((await fixture.ended(data)).restartCount).toBe(0);
    await fixture.remove(data, 0);
    expect(await runs()).toEqual(["sidecar", "main"]);
  });

  it.each(hands)(
    "%s of a sidecar: it runs again, also in a pod that never restarts",
    async (hand) => {
      const { data, runs } = await pod("Never", `sidecar-${hand.replaceAll(" ", "")}`);
      await by(hand, data, "sidecar");
      await fixture.containerWhere(
        data,
        "sidecar",
        ({ restartCount, state }) => restartCount === 1 && state?.running !== undefined,
      );
      await waitUntil("it has counted", async () => (await runs()).length === 3);
      expect(await fixture.container(data, "main")).toMatchObject({
        restartCount: 0,
        state: { running: {} },
      });
      await fixture.remove(data, 0);
      expect(await runs()).toEqual(["sidecar", "main", "sidecar"]);
    },
  );

  /** Podman itself refuses to remove a container that others depend on. */
  const sandboxHands = hands.filter((hand) => engine.kind !== "podman" || hand !== "docker rm -f");

  it.each(sandboxHands)("%s of the sandbox: the pod begins anew", async (hand) => {
    const { data, runs } = await pod("Always", `sandbox-${hand.replaceAll(" ", "")}`);
    await by(hand, data, "POD");
    await waitUntil("both have run again", async () => (await runs()).length === 4);
    expect(await runs()).toEqual(["sidecar", "main", "sidecar", "main"]);
    for (const name of ["sidecar", "main"]) {
      await fixture.containerWhere(
        data,
        name,
        ({ restartCount, state }) => restartCount === 1 && state?.running !== undefined,
      );
    }
    const [podIP] = (await fixture.status(data))?.extension?.podIPs ?? [];
    expect(podIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    await fixture.remove(data, 0);
    expect(await runs()).toHaveLength(4);
  });

  it.each(sandboxHands)(
    "%s of the sandbox of a pod that never restarts: it has failed",
    async (hand) => {
      const { data, runs } = await pod("Never", `sandbox-never-${hand.replaceAll(" ", "")}`);
      await by(hand, data, "POD");
      expect(await fixture.ended(data)).toMatchObject({ restartCount: 0 });
      await fixture.remove(data, 0);
      expect(await runs()).toEqual(["sidecar", "main"]);
    },
  );

  it("deletes a pod of which everything was removed by hand", async () => {
    const { data, runs } = await pod("Never", "all");
    for (const name of ["main", "sidecar", "POD"]) {
      await by("docker rm -f", data, name).catch(() => undefined);
    }
    await fixture.remove(data, 0);
    expect((await runs()).filter((name) => name === "main")).toHaveLength(1);
  });
});
