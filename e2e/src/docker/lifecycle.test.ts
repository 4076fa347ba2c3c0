import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CertificateAuthority } from "@interlink/cluster";
import type { Lifecycle } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

const STAY = "while true; do usleep 50000; done";

describeEngines("probes and hooks by the network on a real engine", (engine) => {
  let fixture: ProviderFixture;
  beforeAll(async () => {
    fixture = await ProviderFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  const main = (script: string, more: object) => ({
    name: "main",
    image: BUSYBOX,
    imagePullPolicy: "IfNotPresent" as const,
    command: ["sh", "-c", script],
    ...more,
  });

  it("restarts a container that no longer answers over HTTP, and keeps what it said", async () => {
    const data = await fixture.create({
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 1,
      containers: [
        main(
          "mkdir /www; echo ok > /www/alive; httpd -p 8080 -h /www; echo begun; sleep 3; rm /www/alive; " +
            STAY,
          {
            livenessProbe: {
              httpGet: { path: "/alive", port: 8080 },
              periodSeconds: 1,
              failureThreshold: 1,
              initialDelaySeconds: 1,
            },
          },
        ),
      ],
    });
    await fixture.containerWhere(data, "main", ({ restartCount }) => restartCount >= 1);
    expect(await fixture.log(data, "main", true)).toBe("begun\n");
    expect(
      fixture.events.some(
        ({ reason, message }) => reason === "Unhealthy" && message.includes("statuscode: 404"),
      ),
    ).toBe(true);
    await fixture.remove(data, 0);
  });

  it("asks over HTTPS without asking who signed", async () => {
    const authority = await CertificateAuthority.create("unknown", Date.now());
    const { keyPem, certificatePem } = await authority.issue(
      { commonName: "somebody else", hosts: ["else.invalid"] },
      Date.now(),
    );
    let status = 204;
    const server = createServer({ key: keyPem, cert: certificatePem }, (_request, response) => {
      response.writeHead(status).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const data = await fixture.create({
      terminationGracePeriodSeconds: 1,
      hostNetwork: true,
      containers: [
        main(STAY, {
          readinessProbe: {
            httpGet: { scheme: "HTTPS", path: "/up", port },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        }),
      ],
    });
    await fixture.containerWhere(data, "main", ({ ready }) => ready);
    status = 500;
    await fixture.containerWhere(data, "main", ({ ready }) => !ready);
    await waitUntil("it is told", () =>
      fixture.events.some(({ message }) => message.includes("statuscode: 500")),
    );
    await fixture.remove(data, 0);
  });

  it("is ready only while something listens, by TCP", async () => {
    const data = await fixture.create({
      terminationGracePeriodSeconds: 1,
      containers: [
        main(`usleep 1500000; httpd -p 8080; ${STAY}`, {
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        }),
      ],
    });
    await fixture.running(data);
    expect((await fixture.container(data, "main"))?.ready).toBe(false);
    await fixture.containerWhere(data, "main", ({ ready }) => ready);
    await fixture.remove(data, 0);
  });

  it("calls hooks by HTTP and waits in one that sleeps", async () => {
    // Newer than the types.
    const preStop = { sleep: { seconds: 2 } } as Lifecycle["preStop"];
    const script =
      "mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho called >> /host/hooks; echo; echo\\n' > /www/cgi-bin/hook; " +
      "chmod +x /www/cgi-bin/hook; httpd -p 8080 -h /www; " +
      `trap 'echo TERM >> /host/hooks; exit 0' TERM; ${STAY}`;
    const volumeMounts = [{ name: "host", mountPath: "/host" }];
    const data = await fixture.create({
      terminationGracePeriodSeconds: 30,
      initContainers: [
        {
          ...main(script, { volumeMounts }),
          name: "server",
          restartPolicy: "Always",
          startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 30 },
        },
      ],
      containers: [
        main(`trap 'echo bye >> /host/hooks; exit 0' TERM; ${STAY}`, {
          volumeMounts,
          lifecycle: {
            postStart: { httpGet: { path: "/cgi-bin/hook", port: 8080 } },
            preStop,
          },
        }),
      ],
      volumes: [{ name: "host", hostPath: { path: fixture.folder } }],
    });
    const hooks = () => readFile(join(fixture.folder, "hooks"), "utf8").catch(() => "");
    await waitUntil("the hook was called", async () => (await hooks()) !== "");
    await fixture.running(data);
    const asked = Date.now();
    await fixture.remove(data, 30);
    // Not a measurement: it cannot have ended sooner.
    expect(Date.now() - asked).toBeGreaterThanOrEqual(2_000);
    expect((await hooks()).trim().split("\n").slice(-2)).toEqual(["bye", "TERM"]);
  });
});
