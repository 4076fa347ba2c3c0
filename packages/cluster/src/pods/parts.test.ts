import type { Container, EphemeralContainer, PodSpec } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import { ApiError } from "../api/api-error.ts";
import { clone, type KubeObject } from "../api/object.ts";
import { updateObject } from "../rest/update.ts";
import { podObject, podOf, put, testCall, testStorage } from "../testing/objects.ts";

const resources = { requests: { cpu: "10m" }, limits: { cpu: "20m" } };

/** Writes one part of a pod several times; what came of the last one, and the pod. */
function written(
  part: string,
  ...changes: ((spec: PodSpec & { containers: Container[] }) => object)[]
): { answer: string; pod: ReturnType<typeof podOf> } {
  const storage = testStorage();
  const containers = [{ name: "main", image: "busybox", resources }];
  put(
    storage,
    "pods",
    podObject("web", { containers, initContainers: [{ name: "init", image: "i" }] }),
  );
  const target = { definition: storage.must("pods"), namespace: "default" };
  let answer = "";
  for (const change of changes) {
    const next = (current: KubeObject): KubeObject => {
      const copy = clone(current);
      copy.metadata.labels = { changed: "too" };
      copy.spec = { ...(copy.spec as object), ...change(podOf(copy).spec as never) };
      return copy;
    };
    try {
      updateObject(storage, target, "web", next, testCall, part);
      answer = "accepted";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      answer = error.message;
    }
  }
  return { answer, pod: podOf(storage.find("pods", "default", "web")) };
}

describe("ephemeral containers of a pod", () => {
  const debug: EphemeralContainer = {
    name: "debug",
    image: "busybox:1",
    targetContainerName: "main",
  };
  const add =
    (...ephemeralContainers: object[]) =>
    () => ({ ephemeralContainers });

  it("come by their own subresource, with defaults, and nothing else comes with them", () => {
    const { answer, pod } = written("ephemeralcontainers", () => ({
      ephemeralContainers: [debug],
      activeDeadlineSeconds: 5,
    }));
    expect(answer).toBe("accepted");
    expect(pod.spec?.ephemeralContainers).toMatchObject([
      { ...debug, imagePullPolicy: "IfNotPresent", terminationMessagePolicy: "File" },
    ]);
    expect(pod.spec?.activeDeadlineSeconds).toBeUndefined();
    expect(pod.metadata?.labels).toBeUndefined();
  });

  it.each<[string, object[], string]>([
    ["without an image", [{ name: "debug" }], "image: Required value"],
    ["named as another container", [{ ...debug, name: "init" }], "name: Duplicate value"],
    ["beside nothing", [{ ...debug, targetContainerName: "no" }], "targetContainerName: Not found"],
    ["with probes", [{ ...debug, livenessProbe: {} }], "livenessProbe: Forbidden"],
    [
      "with a volume that the pod does not have",
      [{ ...debug, volumeMounts: [{ name: "no", mountPath: "/no" }] }],
      "volumeMounts[0].name: Not found",
    ],
    [
      "with a part of a volume",
      [{ ...debug, volumeMounts: [{ name: "no", mountPath: "/no", subPath: "a" }] }],
      "volumeMounts[0].subPath: Forbidden",
    ],
    ["with resources", [{ ...debug, resources }], "resources: Forbidden"],
  ])("are refused %s", (_title, wanted, message) => {
    expect(written("ephemeralcontainers", add(...wanted)).answer).toContain(message);
  });

  it("stay as they are", () => {
    const again = written("ephemeralcontainers", add(debug), add({ ...debug, image: "other" }));
    expect(again.answer).toContain('existing ephemeral containers "debug" may not be changed');
    const gone = written("ephemeralcontainers", add(debug), add());
    expect(gone.answer).toContain('existing ephemeral containers "debug" may not be removed');
  });

  it("do not come with the pod", () => {
    const pod = podObject("web", { ephemeralContainers: [debug] });
    expect(() => put(testStorage(), "pods", pod)).toThrow("cannot be set on create");
    expect(written("object", add(debug)).answer).toContain("pod updates may not change fields");
  });
});

describe("a resize of a pod", () => {
  const to = (wanted: object) => (spec: PodSpec) => ({
    containers: spec.containers.map((one) => ({ ...one, image: "other", resources: wanted })),
  });

  it("changes CPU and memory of containers, and nothing else", () => {
    const wanted = { requests: { cpu: "15m" }, limits: { cpu: "25m" } };
    const { answer, pod } = written("resize", to(wanted));
    expect(answer).toBe("accepted");
    expect(pod.spec?.containers).toMatchObject([{ image: "busybox", resources: wanted }]);
  });

  it.each<[string, object, string]>([
    ["to another quality of service", {}, "Pod QOS Class may not change"],
    [
      "of other resources",
      { ...resources, limits: { cpu: "20m", "example.com/gpu": "1" } },
      "only cpu and memory resources are mutable",
    ],
  ])("is refused %s", (_title, wanted, message) => {
    expect(written("resize", to(wanted)).answer).toContain(message);
  });

  it("is nothing that a usual update does", () => {
    expect(written("object", to({ requests: { cpu: "15m" } })).answer).toContain(
      "pod updates may not change fields",
    );
  });
});
