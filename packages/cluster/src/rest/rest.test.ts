import { describe, expect, it } from "vitest";
import { ApiError } from "../api/api-error.ts";
import { clone, type KubeObject } from "../api/object.ts";
import type { DeleteOptions } from "../resources/definition.ts";
import { FixedChance, podObject, podOf, put, testCall, testStorage } from "../testing/objects.ts";
import { deleteObject } from "./delete.ts";
import { replaceObject, updateObject } from "./update.ts";

function setup(pod: KubeObject = podObject("web")) {
  const chance = new FixedChance();
  const storage = testStorage(chance);
  const target = { definition: storage.must("pods"), namespace: "default" };
  const created = put(storage, "pods", pod);
  const remove = (options: DeleteOptions = {}) =>
    deleteObject(storage, target, "web", options, testCall);
  const find = () => storage.find("pods", "default", "web");
  return { chance, storage, target, created, remove, find };
}

const onNode = podObject("web", { nodeName: "n" });

function refusal(action: () => unknown): { code: number; message: string } {
  try {
    action();
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("create", () => {
  it("sets uid, times, generation and a Pending status, whatever the client says", () => {
    const given = { ...podObject("web"), status: { phase: "Running" } };
    given.metadata = {
      name: "web",
      uid: "mine",
      generation: 9,
      deletionTimestamp: "2020-01-01T00:00:00Z",
    };
    const { created } = setup(given);
    expect(created.metadata).toMatchObject({
      generation: 1,
      creationTimestamp: "2026-01-02T03:04:05Z",
    });
    expect(created.metadata.uid).not.toBe("mine");
    expect(created.metadata.deletionTimestamp).toBeUndefined();
    expect(podOf(created).status?.phase).toBe("Pending");
  });

  it("makes a name from generateName", () => {
    const pod = podObject("x");
    pod.metadata = { generateName: "job-" };
    const { storage } = setup();
    expect(put(storage, "pods", pod).metadata.name).toMatch(/^job-[a-z0-9]{5}$/);
  });

  it("refuses a second of the same name, an unknown namespace and one that is going", () => {
    const { storage } = setup();
    expect(refusal(() => put(storage, "pods", podObject("web")))).toEqual({
      code: 409,
      message: 'pods "web" already exists',
    });
    const elsewhere = podObject("a");
    elsewhere.metadata.namespace = "nowhere";
    expect(refusal(() => put(storage, "pods", elsewhere))).toEqual({
      code: 404,
      message: 'namespaces "nowhere" not found',
    });
  });

  it("stores nothing on a dry run", () => {
    const { storage, target } = setup();
    const call = { ...testCall, dryRun: true };
    replaceObject(
      storage,
      { ...target, definition: storage.must("leases", "coordination.k8s.io") },
      "l",
      { metadata: {} },
      call,
    );
    expect(storage.storeOf("leases", "coordination.k8s.io").size).toBe(0);
  });
});

describe("update", () => {
  it("refuses an old resourceVersion and another uid", () => {
    const { storage, target, created } = setup();
    const with_ = (metadata: object): KubeObject => {
      const next = clone(created);
      Object.assign(next.metadata, metadata);
      return next;
    };
    expect(
      refusal(() =>
        replaceObject(storage, target, "web", with_({ resourceVersion: "1" }), testCall),
      ),
    ).toEqual({
      code: 409,
      message:
        'Operation cannot be fulfilled on pods "web": the object has been modified; please apply your changes to the latest version and try again',
    });
    expect(
      refusal(() => replaceObject(storage, target, "web", with_({ uid: "other" }), testCall)).code,
    ).toBe(409);
  });

  it("keeps status on a write to the object and spec on a write to the status", () => {
    const { storage, target, created } = setup();
    const next = clone(created);
    next.metadata.labels = { a: "b" };
    next.status = { phase: "Failed" };
    replaceObject(storage, target, "web", next, testCall);
    expect(podOf(storage.find("pods", "default", "web")).status?.phase).toBe("Pending");
    const other = clone(created);
    delete other.metadata.resourceVersion;
    other.spec = {};
    other.status = { phase: "Running" };
    replaceObject(storage, target, "web", other, testCall, "status");
    const stored = podOf(storage.find("pods", "default", "web"));
    expect(stored.status).toEqual({ phase: "Running", qosClass: "BestEffort" });
    expect(stored.spec?.containers).toHaveLength(1);
  });

  it("does not count a write that changes nothing", () => {
    const { storage, target, created } = setup();
    const same = updateObject(storage, target, "web", (current) => clone(current), testCall);
    expect(same.object.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
  });

  it("bumps the generation when spec changes, not otherwise", () => {
    const { storage, target } = setup();
    const change = (edit: (next: KubeObject) => void) =>
      updateObject(
        storage,
        target,
        "web",
        (current) => {
          const next = clone(current);
          edit(next);
          return next;
        },
        testCall,
      ).object.metadata.generation;
    expect(change((next) => Object.assign(next.metadata, { labels: { a: "b" } }))).toBe(1);
    expect(change((next) => Object.assign(next.spec as object, { activeDeadlineSeconds: 5 }))).toBe(
      2,
    );
  });
});

describe("delete of a pod", () => {
  it("marks a pod on a node with its grace and keeps it", () => {
    const { remove, find } = setup(clone(onNode));
    expect(remove().removed).toBe(false);
    expect(find()?.metadata).toMatchObject({
      deletionTimestamp: "2026-01-02T03:04:35Z",
      deletionGracePeriodSeconds: 30,
      generation: 2,
    });
  });

  it("only ever shortens the grace", () => {
    const { remove, find, chance } = setup(clone(onNode));
    remove();
    chance.time += 5000;
    remove({ gracePeriodSeconds: 60 });
    expect(find()?.metadata.deletionGracePeriodSeconds).toBe(30);
    remove({ gracePeriodSeconds: 10 });
    expect(find()?.metadata).toMatchObject({
      deletionTimestamp: "2026-01-02T03:04:15Z",
      deletionGracePeriodSeconds: 10,
    });
  });

  it.each<[string, KubeObject, DeleteOptions]>([
    ["that has no node", podObject("web"), {}],
    ["on a node with grace 0", clone(onNode), { gracePeriodSeconds: 0 }],
  ])("removes a pod %s at once", (_name, pod, options) => {
    const { remove, find } = setup(clone(pod));
    expect(remove(options).removed).toBe(true);
    expect(find()).toBeUndefined();
  });

  it("removes a pod that has ended at once, with both steps seen by watchers", () => {
    const { storage, target, remove } = setup(clone(onNode));
    updateObject(
      storage,
      target,
      "web",
      (pod) => ({ ...clone(pod), status: { phase: "Succeeded" } }),
      testCall,
      "status",
    );
    const seen: string[] = [];
    storage.storeOf("pods").subscribe((event) => {
      seen.push(`${event.type} ${event.object.metadata.deletionGracePeriodSeconds}`);
    });
    expect(remove().removed).toBe(true);
    expect(seen).toEqual(["MODIFIED 0", "DELETED 0"]);
  });

  it("takes a negative grace as 1", () => {
    const { remove, find } = setup(clone(onNode));
    remove({ gracePeriodSeconds: -1 });
    expect(find()?.metadata.deletionGracePeriodSeconds).toBe(1);
  });

  it("refuses when the uid is another one", () => {
    const { remove } = setup();
    expect(refusal(() => remove({ preconditions: { uid: "other" } })).code).toBe(409);
  });

  it("holds a pod with a finalizer until it is taken off, whatever the grace", () => {
    const pod = clone(onNode);
    pod.metadata.finalizers = ["example.com/hold"];
    const { storage, target, remove, find } = setup(pod);
    expect(remove({ gracePeriodSeconds: 0 }).removed).toBe(false);
    expect(find()?.metadata.deletionGracePeriodSeconds).toBe(0);
    updateObject(
      storage,
      target,
      "web",
      (current) => {
        const next = clone(current);
        delete next.metadata.finalizers;
        return next;
      },
      testCall,
    );
    expect(find()).toBeUndefined();
  });
});
