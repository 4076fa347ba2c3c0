import { describe, expect, test } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { podData } from "../testing/pod-data.ts";
import { SupervisorLives } from "../testing/supervisor-lives.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";

async function running(root: string): Promise<SupervisorLives> {
  const lives = await SupervisorLives.begin(root, podData(UID));
  await until(lives, "it runs", () => lives.statuses.at(-1)?.containers[0]?.state?.running);
  return lives;
}

function until(lives: SupervisorLives, what: string, probe: () => unknown): Promise<unknown> {
  return eventually(what, () => {
    lives.clock.advance(1);
    return probe() ?? false;
  });
}

const stops = (lives: SupervisorLives): string[] =>
  lives.runtime.calls.filter((call) => call.startsWith("stopContainer"));

/** As many turns as anything could ask for in the meantime. */
async function manyTurns(lives: SupervisorLives): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    lives.wake();
    lives.clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a delete", () => {
  test("stops nothing before it is on disk, whatever wakes the pod meanwhile", async () => {
    await using directory = await temporaryDirectory();
    const lives = await running(directory.path);
    let written = (): void => undefined;
    const writing = new Promise<void>((resolve) => {
      written = resolve;
    });
    lives.store.beforeWrite = () => writing;
    const asked = lives.requestDelete(30);
    await manyTurns(lives);
    expect(lives.store.get(UID)?.phase).not.toBe("deleting");
    expect(stops(lives)).toEqual([]);
    written();
    await asked;
    expect(lives.store.get(UID)?.phase).toBe("deleting");
    await until(lives, "it is gone", () => lives.isGone || undefined);
    expect(stops(lives)).toHaveLength(1);
    await lives.end();
  });

  test("that could not be written is refused and stops nothing; asked again, it is carried out", async () => {
    await using directory = await temporaryDirectory();
    const lives = await running(directory.path);
    lives.store.beforeWrite = () => Promise.reject(new Error("no space left on device"));
    await expect(lives.requestDelete(30)).rejects.toThrow("no space left on device");
    await manyTurns(lives);
    expect(stops(lives)).toEqual([]);
    lives.store.beforeWrite = undefined;
    await lives.requestDelete(30);
    await until(lives, "it is gone", () => lives.isGone || undefined);
    expect(stops(lives)).toHaveLength(1);
    await lives.end();
  });
});
