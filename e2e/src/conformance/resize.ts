import { expect } from "vitest";
import { STAY } from "./pod-helpers.ts";
import type { Group } from "./suite.ts";

/** Behaviours 92 and 93. */
export const resize: Group = (behaviour) => {
  behaviour(92, { sinceVersion: "1.33" }, async (site) => {
    const name = "resized";
    const resources = { requests: { cpu: "10m" }, limits: { cpu: "20m" } };
    await site.createPod(name, { command: STAY, container: { resources } });
    const { status } = await site.podReady(name);
    expect(status?.containerStatuses?.[0]).toMatchObject({ resources });
    const path = `/api/v1/namespaces/default/pods/${name}/resize`;
    const pod = JSON.parse(await site.kubectl.run(["get", "--raw", path])) as {
      spec: { containers: { resources: object }[] };
    };
    const wanted = { requests: { cpu: "15m" }, limits: { cpu: "25m" } };
    for (const container of pod.spec.containers) container.resources = wanted;
    await site.kubectl.run(["replace", "--raw", path, "-f", "-"], { input: JSON.stringify(pod) });
    const resized = await site.podWhen(name, "is answered", (one) =>
      one.status?.conditions?.some(({ type }) => type === "PodResizePending"),
    );
    const condition = resized.status?.conditions?.find(({ type }) => type === "PodResizePending");
    expect(condition).toMatchObject({ status: "True", reason: "Infeasible" });
    // It runs on with what it has.
    const [main] = resized.status?.containerStatuses ?? [];
    expect(main).toMatchObject({ restartCount: 0, resources });
    expect(resized.spec?.containers[0]?.resources).toEqual(wanted);
    await site.delete(name);
  });

  behaviour(93, { sinceVersion: "1.25" }, async (site) => {
    const name = "debugged";
    await site.createPod(name, { command: STAY });
    await site.podReady(name);
    const path = `/api/v1/namespaces/default/pods/${name}/ephemeralcontainers`;
    const pod = JSON.parse(await site.kubectl.run(["get", "--raw", path])) as {
      spec: { ephemeralContainers?: object[] };
    };
    pod.spec.ephemeralContainers = [
      {
        name: "debug",
        image: "busybox:latest",
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", `echo looking; ${STAY}`],
        targetContainerName: "main",
        terminationMessagePolicy: "File",
      },
    ];
    await site.kubectl.run(["replace", "--raw", path, "-f", "-"], { input: JSON.stringify(pod) });
    const debugged = await site.podWhen(name, "is looked into", ({ status }) =>
      status?.ephemeralContainerStatuses?.some(({ state }) => state?.running !== undefined),
    );
    expect(debugged.status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 0,
      ready: true,
    });
    expect(await site.logs(name, "-c", "debug")).toBe("looking\n");
    const exec = ["exec", name, "-c", "debug", "--", "echo", "inside"];
    expect(await site.kubectl.run(exec)).toBe("inside\n");
    await site.delete(name);
  });
};
