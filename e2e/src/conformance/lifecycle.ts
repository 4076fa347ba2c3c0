import { expect } from "vitest";
import type { Group } from "./suite.ts";

/** Behaviours 1 to 27: pod lifecycle and status. */
export const lifecycle: Group = (behaviour) => {
  behaviour(2, {}, async (site) => {
    await site.createPod("label-change", { command: "exec sleep 1000" });
    await site.podReady("label-change");
    await site.kubectl.run(["label", "pod", "label-change", "--overwrite", "app=other"]);
    const pod = await site.podWhen(
      "label-change",
      "has the label",
      ({ metadata }) => metadata?.labels?.["app"] === "other",
    );
    expect(pod.status?.phase).toBe("Running");
    expect(pod.status?.containerStatuses?.[0]?.restartCount).toBe(0);
    await site.delete("label-change");
  });

  behaviour(4, {}, async (site) => {
    await site.createPod("host-ip", { command: "exec sleep 1000" });
    const pod = await site.podReady("host-ip");
    expect(pod.status?.hostIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    await site.delete("host-ip");
  });
};
