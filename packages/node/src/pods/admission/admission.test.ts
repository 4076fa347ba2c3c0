import fc from "fast-check";
import type { Node, Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { aPod, container } from "../../testing/pods.ts";
import { Admission } from "./admission.ts";

const node: Node = { status: { allocatable: { cpu: "2", pods: "10" } } };

function pod(uid: string, cpu: string, hostPort?: number): Pod {
  const ports = hostPort === undefined ? [] : [{ containerPort: 1, hostPort }];
  const main = container("main", { resources: { requests: { cpu } }, ports });
  return aPod({ containers: [main] }, { metadata: { name: uid, uid } });
}

describe("places on a node", () => {
  test("are given until there are no more, and are free again when a pod has ended", () => {
    const places = new Admission();
    expect(places.admit(pod("a", "1"), node)).toBeUndefined();
    expect(places.admit(pod("b", "1"), node)).toBeUndefined();
    expect(places.admit(pod("c", "1"), node)?.reason).toBe("OutOfcpu");
    places.release("a");
    expect(places.admit(pod("c", "1"), node)).toBeUndefined();
  });

  test("are kept, and counted once, by pods that were admitted before, even beyond what the node has", () => {
    const places = new Admission();
    for (const uid of ["a", "b", "c"]) places.take(pod(uid, "1"));
    places.take(pod("a", "1"));
    expect(places.admit(pod("a", "1"), node)).toBeUndefined();
    expect(places.admit(pod("d", "1"), node)?.message).toMatch(/used: 3000, capacity: 2000/);
  });

  test("count ports of the host", () => {
    const places = new Admission();
    expect(places.admit(pod("a", "0", 80), node)).toBeUndefined();
    expect(places.admit(pod("b", "0", 80), node)?.reason).toBe("NodePorts");
    places.release("a");
    expect(places.admit(pod("b", "0", 80), node)).toBeUndefined();
  });

  test("are given to all while no node is known", () => {
    expect(new Admission().admit(pod("a", "1000"), undefined)).toBeUndefined();
  });

  test("are never given beyond the node's capacity, nor lost, whatever comes and goes", () => {
    const step = fc.record({
      uid: fc.constantFrom("a", "b", "c", "d", "e"),
      milli: fc.integer({ min: 1, max: 1500 }),
      leaves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const places = new Admission();
        const held = new Map<string, number>();
        for (const { uid, milli, leaves } of steps) {
          if (leaves) {
            places.release(uid);
            held.delete(uid);
            continue;
          }
          const used = [...held.values()].reduce((sum, one) => sum + one, 0);
          const admitted = places.admit(pod(uid, `${milli}m`), node) === undefined;
          expect(admitted).toBe(held.has(uid) || used + milli <= 2000);
          if (admitted && !held.has(uid)) held.set(uid, milli);
        }
      }),
    );
  });
});
