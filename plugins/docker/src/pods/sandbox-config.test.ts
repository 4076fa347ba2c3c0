import { describe, expect, it } from "vitest";
import { testPod } from "../testing/pods.ts";
import { memoryVolumes } from "./memory-volumes.ts";
import { podHostname } from "./pod-names.ts";
import { sandboxConfig } from "./sandbox-config.ts";

const OPTIONS = { plugin: "p", image: "pause", network: "bridge" };

function config(spec: Parameters<typeof testPod>[0]): unknown {
  return sandboxConfig(testPod(spec), OPTIONS);
}

describe("sandboxConfig", () => {
  it("may do nothing but hold the pod's namespaces", () => {
    expect(config({})).toMatchObject({
      Image: "pause",
      Entrypoint: ["/pause"],
      User: "65535:65535",
      Hostname: "pod",
      HostConfig: {
        NetworkMode: "bridge",
        IpcMode: "shareable",
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges:true"],
        RestartPolicy: { Name: "no" },
      },
    });
  });

  it("publishes host ports of every container", () => {
    const containers = [
      { name: "a", ports: [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }] },
      {
        name: "b",
        ports: [{ containerPort: 53, hostPort: 53, hostIP: "127.0.0.1", protocol: "UDP" }],
      },
    ];
    expect(config({ containers })).toMatchObject({
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      HostConfig: {
        PortBindings: {
          "80/tcp": [{ HostIp: "", HostPort: "8080" }],
          "53/udp": [{ HostIp: "127.0.0.1", HostPort: "53" }],
        },
      },
    });
  });

  it("publishes one port on several addresses of the host", () => {
    const ports = ["127.0.0.1", "127.0.0.2"].map((hostIP) => ({
      containerPort: 80,
      hostPort: 8080,
      hostIP,
    }));
    expect(config({ containers: [{ name: "a", ports }] })).toMatchObject({
      HostConfig: {
        PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1" }, { HostIp: "127.0.0.2" }] },
      },
    });
  });

  it("uses the host's network, name and ports for a pod of the host network", () => {
    const containers = [{ name: "a", ports: [{ containerPort: 80, hostPort: 80 }] }];
    const made = config({ hostNetwork: true, containers });
    expect(made).toMatchObject({ ExposedPorts: {}, HostConfig: { NetworkMode: "host" } });
    expect(made).not.toHaveProperty("Hostname");
  });

  it("passes names, name servers and kernel settings", () => {
    expect(
      config({
        hostIPC: true,
        hostPID: true,
        hostAliases: [{ ip: "10.1.1.1", hostnames: ["a", "b"] }],
        dnsConfig: {
          nameservers: ["9.9.9.9"],
          searches: ["x.test"],
          options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
        },
        securityContext: { sysctls: [{ name: "net.ipv4.ip_forward", value: "1" }] },
      }),
    ).toMatchObject({
      HostConfig: {
        IpcMode: "host",
        PidMode: "host",
        ExtraHosts: ["a:10.1.1.1", "b:10.1.1.1"],
        Dns: ["9.9.9.9"],
        DnsSearch: ["x.test"],
        DnsOptions: ["ndots:2", "edns0"],
        Sysctls: { "net.ipv4.ip_forward": "1" },
      },
    });
  });

  it("holds the pod's volumes in memory, with their limits and group", () => {
    const spec = {
      volumes: [
        { name: "m", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "d", emptyDir: {} },
        { name: "n", emptyDir: { medium: "Memory" } },
      ],
    };
    const options = (pod: Parameters<typeof testPod>[0], isPodman?: boolean) =>
      memoryVolumes("p", testPod(pod), isPodman).map(({ name, create }) => [
        name,
        create.DriverOpts.o,
      ]);
    expect(options(spec)).toEqual([
      ["m", "mode=0777,size=1048576"],
      ["n", "mode=0777"],
    ]);
    expect(options(spec, true)).toEqual([
      ["m", "mode=0777,nr_blocks=256"],
      ["n", "mode=0777"],
    ]);
    expect(options({ ...spec, securityContext: { fsGroup: 7 } })).toEqual([
      ["m", "mode=2777,gid=7,size=1048576"],
      ["n", "mode=2777,gid=7"],
    ]);
    expect(config(spec)).toMatchObject({
      HostConfig: { Mounts: [{ Target: "/volumes/m" }, { Target: "/volumes/n" }] },
    });
  });
});

it.each([
  ["short", undefined, "short"],
  ["named", "other", "other"],
  ["x".repeat(70), undefined, "x".repeat(63)],
  [`${"x".repeat(61)}-.yyyy`, undefined, "x".repeat(61)],
])("calls the host of pod %s with hostname %s %s", (name, hostname, expected) => {
  const pod = { metadata: { name }, spec: { containers: [], ...(hostname && { hostname }) } };
  expect(podHostname(pod)).toBe(expected);
});
