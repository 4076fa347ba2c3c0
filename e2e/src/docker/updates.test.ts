import type { RetrievedPodData } from "@interlink/protocol";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

describeEngines("an update of a running pod", (engine) => {
  let fixture: ProviderFixture;
  beforeAll(async () => {
    fixture = await ProviderFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  const withValue = (data: RetrievedPodData, value: string): RetrievedPodData => ({
    ...data,
    container: data.container.map((one) => ({
      ...one,
      configMaps: [{ metadata: { name: "conf" }, data: { key: value } }],
    })),
  });

  it("reaches the files that its container sees, all at once, and no subPath mount", async () => {
    const command =
      'last=; while true; do now=$(cat /conf/key /part); [ "$now" = "$last" ] || echo "[$now]"; last=$now; usleep 50000; done';
    const data = fixture.data(
      {
        volumes: [{ name: "conf", configMap: { name: "conf" } }],
        containers: [
          {
            name: "main",
            image: BUSYBOX,
            imagePullPolicy: "IfNotPresent",
            command: ["sh", "-c", command],
            volumeMounts: [
              { name: "conf", mountPath: "/conf" },
              { name: "conf", mountPath: "/part", subPath: "key" },
            ],
          },
        ],
      },
      { configMaps: [{ metadata: { name: "conf" }, data: { key: "old" } }] },
    );
    const prints = (text: string) =>
      waitUntil(`it prints ${text}`, async () => (await fixture.log(data)) === text);

    await fixture.provider.create(data, fixture.signal);
    await prints("[oldold]\n");
    await fixture.provider.update?.(withValue(data, "new"), fixture.signal);
    await prints("[oldold]\n[newold]\n");
    expect((await fixture.container(data, "main"))?.restartCount).toBe(0);
    await fixture.remove(data, 0);
  });
});
