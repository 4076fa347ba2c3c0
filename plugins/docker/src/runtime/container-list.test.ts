import { expect, it } from "vitest";
import { containerLabels, sandboxLabels } from "../pods/labels.ts";
import { FakeEngine, json } from "../testing/fake-engine.ts";
import { testContainerSpec } from "../testing/pods.ts";
import { ContainerList } from "./container-list.ts";

const STRANGER = { isFresh: () => false, wasStopped: () => false, failedStart: () => undefined };
const KERNEL = { ranOut: () => Promise.resolve(false) };
const signal = new AbortController().signal;

/** An engine with these containers, by id and state, and with what its list says of them and of their sandbox. */
async function engineWith(
  states: ReadonlyMap<string, string>,
  listed: ReadonlyMap<string, string> = states,
  sandbox: { state: string } = { state: "running" },
): Promise<FakeEngine> {
  return FakeEngine.open((_, response, url) => {
    const id = /\/containers\/(\w+)\/json$/.exec(url.pathname)?.[1];
    if (id === undefined || id === "json") {
      const spec = testContainerSpec();
      const Labels = containerLabels("p", spec);
      const containers = [...listed].map(([Id, State]) => ({ Id, State, Labels }));
      const own = { Id: "sandbox", State: sandbox.state, Labels: sandboxLabels("p", spec.pod) };
      json(response, 200, [...containers, own]);
      return;
    }
    const Status = states.get(id);
    if (Status === undefined || Status === "removed") return json(response, 404, { message: "no" });
    const State = {
      Status,
      ExitCode: 1,
      Error: "",
      OOMKilled: false,
      StartedAt: "",
      FinishedAt: "",
    };
    json(response, 200, { Id: id, State });
  });
}

it("asks one question when nothing has changed", async () => {
  const states = new Map([
    ["a", "running"],
    ["b", "exited"],
  ]);
  await using engine = await engineWith(states);
  const list = new ContainerList(engine.client, "p", STRANGER, KERNEL);
  const asked = async (): Promise<readonly string[]> => {
    const before = engine.asked.length;
    await list.list(signal);
    return engine.asked.slice(before).filter((one) => one !== "GET /version");
  };
  expect(await asked()).toEqual([
    "GET /containers/json",
    "GET /containers/a/json",
    "GET /containers/b/json",
  ]);
  expect(await asked()).toEqual(["GET /containers/json"]);
  states.set("a", "exited");
  expect(await asked()).toEqual(["GET /containers/json", "GET /containers/a/json"]);
  expect(await asked()).toEqual(["GET /containers/json"]);
  states.delete("a");
  await list.list(signal);
  states.set("a", "exited");
  expect(await asked()).toContain("GET /containers/a/json");
});

it("looks at a container that is said to have changed, though the engine's list is behind", async () => {
  const states = new Map([["a", "running"]]);
  const listed = new Map(states);
  await using engine = await engineWith(states, listed);
  const list = new ContainerList(engine.client, "p", STRANGER, KERNEL);
  expect(await list.list(signal)).toMatchObject([{ state: "running" }]);
  states.set("a", "exited");
  list.noteChange("a");
  expect(await list.list(signal)).toMatchObject([{ state: "exited", exitCode: 1 }]);
  // The list is still behind.
  expect(await list.list(signal)).toMatchObject([{ state: "exited", exitCode: 1 }]);
});

it("tells of containers without their sandbox, once it has asked again", async () => {
  const states = new Map([
    ["a", "running"],
    ["b", "exited"],
  ]);
  const sandbox = { state: "exited" };
  await using engine = await engineWith(states, states, sandbox);
  const list = new ContainerList(engine.client, "p", STRANGER, KERNEL);
  const orphans = async () =>
    (await list.list(signal)).filter(({ hasLostSandbox }) => hasLostSandbox).map(({ id }) => id);
  const lists = () => engine.asked.filter((one) => one === "GET /containers/json").length;
  expect(await orphans()).toEqual(["a", "b"]);
  expect(lists()).toBe(2);
  // The sandbox of a pod that is over stays stopped: that costs no question for ever.
  states.set("a", "exited");
  expect(await orphans()).toEqual(["a", "b"]);
  expect(lists()).toBe(4);
  expect(await orphans()).toEqual(["a", "b"]);
  expect(lists()).toBe(5);
  sandbox.state = "running";
  expect(await orphans()).toEqual([]);
});

it("leaves out one that is removed while it looks", async () => {
  await using engine = await engineWith(new Map([["a", "removed"]]));
  expect(await new ContainerList(engine.client, "p", STRANGER, KERNEL).list(signal)).toEqual([]);
});

it("does not ask about one that it knows was never started", async () => {
  await using engine = await engineWith(new Map([["a", "created"]]));
  const own = { ...STRANGER, isFresh: (id: string) => id === "a" };
  const list = new ContainerList(engine.client, "p", own, KERNEL);
  expect(await list.list(signal)).toMatchObject([{ id: "a", state: "created", attempt: 2 }]);
  expect(engine.asked).not.toContain("GET /containers/a/json");
});

it("throws rather than answering with fewer when the engine fails", async () => {
  await using engine = await FakeEngine.open((_, response) =>
    json(response, 500, { message: "sick" }),
  );
  const list = new ContainerList(engine.client, "p", STRANGER, KERNEL);
  await expect(list.list(signal)).rejects.toThrow("sick");
});

/** Two containers with a memory limit, `a` and `b`, that were killed; the engine does not say why. */
async function killed(version?: object): Promise<FakeEngine> {
  return FakeEngine.open((_, response, url) => {
    const State = { Status: "exited", ExitCode: 137, OOMKilled: false, Error: "" };
    const times = { StartedAt: "", FinishedAt: "" };
    const Labels = containerLabels("p", testContainerSpec());
    if (url.pathname.endsWith("/containers/json")) {
      json(
        response,
        200,
        ["a", "b"].map((Id) => ({ Id, Labels, State: "exited" })),
      );
      return;
    }
    const Id = url.pathname.split("/").at(-2);
    json(response, 200, { Id, State: { ...State, ...times }, HostConfig: { Memory: 1 } });
  }, version);
}

it("knows that a container ran out of memory from the event, when the engine's record does not", async () => {
  await using engine = await killed();
  const list = new ContainerList(engine.client, "p", STRANGER, KERNEL);
  const listed = list.list(signal);
  // It comes while the list waits for it.
  await expect.poll(() => engine.asked).toContain("GET /containers/a/json");
  list.noteOom("a");
  expect(await listed).toMatchObject([{ id: "a", oomKilled: true }, { id: "b" }]);
  expect((await list.list(signal))[1]?.oomKilled).toBeUndefined();
});

it("asks the kernel which container ran out of memory when the engine is Podman", async () => {
  const Components = [{ Name: "Podman Engine", Version: "4.3.1" }];
  await using engine = await killed({ ApiVersion: "1.41", Components });
  const kernel = { ranOut: (id: string) => Promise.resolve(id === "a") };
  const list = new ContainerList(engine.client, "p", STRANGER, kernel);
  const listed = await list.list(signal);
  expect(listed.map(({ id, oomKilled }) => [id, oomKilled])).toEqual([
    ["a", true],
    ["b", undefined],
  ]);
});

it("remembers why a start failed when the engine does not", async () => {
  await using engine = await engineWith(new Map([["a", "created"]]));
  const failure = { message: "no such program", exitCode: 127 };
  const own = { ...STRANGER, failedStart: () => failure };
  const list = new ContainerList(engine.client, "p", own, KERNEL);
  expect(await list.list(signal)).toMatchObject([
    { state: "exited", reason: "ContainerCannotRun", error: "no such program" },
  ]);
});
