import type { Endpoints } from "kubernetes-types/core/v1.js";
import { expect } from "vitest";
import { freePorts } from "../systems/free-ports.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { eventsOf, outputOf, STAY } from "./pod-helpers.ts";
import type { Site } from "./site.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";
import { webServer } from "./web-server.ts";

export const NO_ADDRESS = {
  process:
    "Pods of the process plugin have no address of their own: they are on the host's loopback.",
  slurm: SLURM_LIMITS.address,
};

function service(name: string, port: number): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: port }] },
  };
}

/** The only address behind a service, as soon as it is there. */
function endpointOf(site: Site, name: string): Promise<{ ip: string; port: number }> {
  return waitUntil(`the service ${name} has an endpoint`, async () => {
    const { subsets } = await site.kubectl.json<Endpoints>(["get", "endpoints", name]);
    const ip = subsets?.[0]?.addresses?.[0]?.ip;
    const port = subsets?.[0]?.ports?.[0]?.port;
    return ip !== undefined && port !== undefined && { ip, port };
  });
}

/** Behaviours 82, 87 and 88. */
export const network: Group = (behaviour) => {
  behaviour(82, {}, async (site) => {
    const path = `/api/v1/nodes/${site.system.nodeName}/proxy`;
    expect(await site.kubectl.run(["get", "--raw", `${path}/healthz`])).toBe("ok");
    const pods = await site.kubectl.run(["get", "--raw", `${path}/pods`]);
    expect(JSON.parse(pods)).toMatchObject({ kind: "PodList" });
  });

  behaviour(82, { notApplicable: NO_ADDRESS }, async (site) => {
    const name = "proxied";
    await using server = await webServer(site, name, "through the proxy");
    await site.apply(service(name, server.port));
    await endpointOf(site, name);
    for (const path of [`pods/${name}:${server.port}`, `services/${name}`, `services/${name}:80`]) {
      const raw = `/api/v1/namespaces/default/${path}/proxy/index.html`;
      expect(await site.kubectl.run(["get", "--raw", raw])).toBe("through the proxy");
    }
    await site.kubectl.run(["delete", "service", name]);
  });

  behaviour(87, { notApplicable: NO_ADDRESS }, async (site) => {
    const name = "reached";
    await using server = await webServer(site, name, "from afar");
    await site.apply(service(name, server.port));
    const { ip, port } = await endpointOf(site, name);
    expect({ ip, port }).toEqual({ ip: server.podIP, port: server.port });
    const output = await outputOf(site, "reaching", {
      command: `wget -q -O - http://${ip}:${port}/index.html`,
    });
    expect(output).toBe("from afar");
    await site.kubectl.run(["delete", "service", name]);
  });

  behaviour(88, {}, async (site) => {
    const [hostPort = 0] = await freePorts(1);
    const [first, udp, other] = ["host-port", "host-port-udp", "host-port-again"] as const;
    const port = { containerPort: hostPort, hostPort, hostIP: "127.0.0.1" };
    const create = (name: string, ports: object, spec = {}) =>
      site.createPod(name, { command: STAY, container: { ports: [ports] }, spec });
    await create(first, port);
    await create(udp, { ...port, protocol: "UDP" });
    await Promise.all([site.podReady(first), site.podReady(udp)]);

    // The scheduler keeps the next one away …
    await create(other, port);
    const [message] = await eventsOf(site, other, "FailedScheduling");
    expect(message).toContain("didn't have free ports");
    await site.delete(first);
    await site.podReady(other);

    // … and the node one that never met a scheduler.
    await create("host-port-bound", port, { nodeName: site.system.nodeName });
    const { status } = await site.podInPhase("host-port-bound", "Failed");
    expect(status?.reason).toBe("NodePorts");
    await site.delete(udp, other, "host-port-bound");
  });
};
