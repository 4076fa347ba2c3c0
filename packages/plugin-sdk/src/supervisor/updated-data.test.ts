import { expect, test } from "vitest";
import { podData } from "../testing/pod-data.ts";
import { containersOfOtherImage, updatedData } from "./updated-data.ts";

const UID = "0f3a5b1e-1111-4222-8333-444455556666";

test("an update brings labels, annotations, environments, images and contents, and nothing else", () => {
  const before = podData(UID, {
    restartPolicy: "Always",
    initContainers: [{ name: "setup", image: "a", env: [{ name: "A", value: "1" }] }],
    containers: [{ name: "main", image: "b", command: ["run"], env: [{ name: "B", value: "1" }] }],
  });
  const update = podData(UID, {
    restartPolicy: "Never",
    hostNetwork: true,
    initContainers: [{ name: "setup", image: "a", env: [{ name: "A", value: "2" }] }],
    containers: [{ name: "main", image: "c", command: ["other"] }],
  });
  update.pod.metadata = { ...update.pod.metadata, name: "other", labels: { new: "yes" } };
  update.container[0]?.configMaps.push({ metadata: { name: "c" }, data: { k: "v" } });

  const after = updatedData(before, update);
  expect(after.pod.spec).toEqual({
    restartPolicy: "Always",
    initContainers: [{ name: "setup", image: "a", env: [{ name: "A", value: "2" }] }],
    containers: [{ name: "main", image: "c", command: ["run"] }],
  });
  expect(containersOfOtherImage(before.pod, after.pod)).toEqual(["main"]);
  expect(after.pod.metadata).toEqual({ ...before.pod.metadata, labels: { new: "yes" } });
  expect(after.container).toBe(update.container);
  expect(after.jobConfig).toBe(before.jobConfig);
});

test("an update brings new ephemeral containers, and changes none that is there", () => {
  const before = podData(UID, {
    ephemeralContainers: [
      { name: "old", image: "a", command: ["sh"], envFrom: [{ secretRef: { name: "s" } }] },
      { name: "kept", image: "a" },
    ],
  });
  const update = podData(UID, {
    ephemeralContainers: [
      { name: "old", image: "other", command: ["other"], env: [{ name: "A", value: "1" }] },
      { name: "new", image: "b", targetContainerName: "main" },
    ],
  });
  const after = updatedData(before, update);
  expect(after.pod.spec?.ephemeralContainers).toEqual([
    { name: "old", image: "a", command: ["sh"], env: [{ name: "A", value: "1" }] },
    { name: "kept", image: "a" },
    { name: "new", image: "b", targetContainerName: "main" },
  ]);
  expect(containersOfOtherImage(before.pod, after.pod)).toEqual([]);
});

test("a container that the update does not name stays as it was", () => {
  const before = podData(UID, { containers: [{ name: "main", env: [{ name: "A", value: "1" }] }] });
  const update = podData(UID, { containers: [{ name: "other", env: [] }] });
  expect(updatedData(before, update).pod.spec?.containers).toEqual(before.pod.spec?.containers);
});
