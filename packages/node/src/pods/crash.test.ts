import { eventually } from "@interlink/kube/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type NodeLife, PodWorld } from "../testing/pod-world.ts";
import { NODE_CHECKPOINTS, type NodeCheckpoint } from "./checkpoints.ts";

let world: PodWorld;
beforeEach(async () => {
  world = await PodWorld.start();
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

describe.each(NODE_CHECKPOINTS)("a node that dies at %s", (checkpoint) => {
  test("leaves a pod that its next life runs once, and deletes everywhere", async () => {
    let life: NodeLife | undefined;
    let died: Promise<void> | undefined;
    let crashes = 0;
    const passing = (passed: NodeCheckpoint): void => {
      if (passed !== checkpoint || crashes > 0) return;
      crashes++;
      died = Promise.resolve(life?.[Symbol.asyncDispose]());
      throw new Error(`killed at ${checkpoint}`);
    };
    /** The running life, or the next one. */
    const survive = async (): Promise<void> => {
      if (!died) return;
      await died;
      died = undefined;
      life = await world.node({ checkpoint: passing });
    };
    const until = async (condition: () => boolean): Promise<void> => {
      await eventually(() => condition() || died !== undefined);
      if (died === undefined) return;
      await survive();
      await eventually(condition);
    };

    life = await world.node({ checkpoint: passing });
    world.put();
    await until(() => world.site.jobs.has("uid-1"));
    world.site.run("uid-1");
    await until(() => world.pod()?.status?.phase === "Running");
    await survive();
    world.delete();
    await until(() => world.pod() === undefined);

    expect(crashes).toBe(1);
    expect(world.site.started.get("uid-1")).toBe(1);
    expect(world.site.jobs.size).toBe(0);
  });
});
