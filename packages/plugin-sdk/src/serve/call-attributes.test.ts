import { expect, test } from "vitest";
import { logRequest } from "../testing/log-request.ts";
import { podData } from "../testing/pod-data.ts";
import { createAttributes, deleteAttributes, logCallAttributes } from "./call-attributes.ts";

const UID = "9d3b5e0e-0000-4000-8000-000000000001";
const about = { "pod.name": "pod-9d3b5e0e", "pod.namespace": "default", "pod.uid": UID };

test("a create's span tells the job and its containers, and nothing that may be secret", () => {
  const data = podData(UID, {
    initContainers: [{ name: "first", image: "a" }],
    containers: [
      {
        name: "main",
        image: "b",
        resources: { limits: { cpu: "2", memory: "1Gi" } },
        env: [{ name: "PASSWORD", value: "s3cret" }],
        command: ["login", "s3cret"],
        args: ["s3cret"],
      },
    ],
  });
  const attributes = createAttributes(data, "17");
  expect(attributes).toEqual({
    ...about,
    "job.id": "17",
    "job.container0.name": "first",
    "job.container0.isinit": true,
    "job.container0.image": "a",
    "job.container1.name": "main",
    "job.container1.isinit": false,
    "job.container1.image": "b",
    "job.container1.limits.cpu": "2",
    "job.container1.limits.memory": "1Gi",
  });
  expect(createAttributes(data, undefined)).not.toHaveProperty("job.id");
});

test("a pod of very many containers has a span of some size", () => {
  const containers = Array.from({ length: 1000 }, (_, index) => ({ name: `c${index}` }));
  expect(Object.keys(createAttributes(podData(UID, { containers }), "1")).length).toBeLessThan(200);
});

test("a delete's span tells the pod and its job, a log's what was asked for", () => {
  expect(deleteAttributes(podData(UID).pod, "17")).toEqual({
    ...about,
    "delete.pod.uid": UID,
    "job.id": "17",
    "delete.jid": "17",
  });
  expect(logCallAttributes(logRequest(UID, { Tail: 3, Follow: true }))).toMatchObject({
    ...about,
    "opts.tail": 3,
    "opts.follow": true,
  });
});
