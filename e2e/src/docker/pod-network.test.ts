import { readlink } from "node:fs/promises";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { PodSpec } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { freePorts } from "../systems/free-ports.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

const sh = (script: string): { image: string; command: string[] } => ({
  image: BUSYBOX,
  command: ["sh", "-c", script],
});

describeEngines("the network, names and kernel settings of pods on a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  const logOf = async (script: string, spec: Partial<PodSpec>): Promise<string[]> => {
    const { log } = await fixture.run(sh(script), {}, spec);
    return log.split("\n").slice(0, -1);
  };

  it("manages /etc/hosts as a kubelet: the pod's names, and its aliases", async () => {
    const lines = await logOf("cat /etc/hosts; hostname; hostname -i", {
      hostname: "web",
      subdomain: "inner",
      hostAliases: [{ ip: "192.0.2.7", hostnames: ["one.test", "two.test"] }],
    });
    const podIP = lines.at(-1) ?? "";
    expect(podIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(lines.at(-2)).toBe("web");
    expect(lines[0]).toBe("# Kubernetes-managed hosts file.");
    expect(lines).toContain(`${podIP}\tweb.inner.default.svc.cluster.local\tweb`);
    expect(lines).toContain("192.0.2.7\tone.test\ttwo.test");
  });

  it("gives the pod its whole name where it wants that", async () => {
    const spec = { hostname: "web", subdomain: "inner", setHostnameAsFQDN: true };
    expect(await logOf("hostname", spec)).toEqual(["web.inner.default.svc.cluster.local"]);
  });

  it("finds names as the pod says, and only so with the policy None", async () => {
    const lines = await logOf("cat /etc/resolv.conf", {
      dnsPolicy: "None",
      dnsConfig: {
        nameservers: ["192.0.2.53"],
        searches: ["one.test", "two.test"],
        options: [{ name: "ndots", value: "3" }],
      },
    });
    const words = lines.filter((line) => /^(nameserver|search|options)/.test(line)).sort();
    expect(words).toEqual(["nameserver 192.0.2.53", "options ndots:3", "search one.test two.test"]);
  });

  it("asks the cluster's DNS first where the plugin knows one", async () => {
    await using inCluster = await RuntimeFixture.open(engine.host, undefined, {
      dns: { clusterDns: ["192.0.2.10"], clusterDomain: "c.test" },
    });
    const { log } = await inCluster.run(sh("cat /etc/resolv.conf"));
    expect(log).toContain("nameserver 192.0.2.10\n");
    expect(log).toMatch(/^search default\.svc\.c\.test svc\.c\.test c\.test/m);
    expect(log).toContain("options ndots:5");
  });

  it("sets kernel settings in the pod alone, for all of its containers", async () => {
    const sysctls = [
      { name: "net.ipv4.ip_local_port_range", value: "32000 33000" },
      { name: "kernel.shm_rmid_forced", value: "1" },
    ];
    const script = "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shm_rmid_forced";
    expect(await logOf(script, { securityContext: { sysctls } })).toEqual(["32000\t33000", "1"]);
  });

  it("shares processes between containers only when asked to", async () => {
    const count = "ls /proc | grep -c '^[0-9]'";
    const alone = { name: "alone", ...sh(`cat /proc/1/comm; ${count}`) };
    const [first] = await logOf(alone.command[2] ?? "", {});
    expect(first).not.toBe("pause");
    const [shared] = await logOf(alone.command[2] ?? "", { shareProcessNamespace: true });
    expect(shared).toBe("pause");
  });

  it("shares messages between containers of a pod, and with nobody else", async () => {
    const make = "readlink /proc/self/ns/ipc";
    const one = { name: "one", ...sh(make) };
    const two = { name: "two", ...sh(make) };
    const pod = await fixture.pod([one, two]);
    const spaceOf = async (handle: Awaited<ReturnType<RuntimeFixture["start"]>>) => {
      await fixture.ended(handle);
      return (await fixture.log(handle)).trim();
    };
    const first = await spaceOf(await fixture.start(pod, one));
    expect(first).toMatch(/^ipc:/);
    expect(await spaceOf(await fixture.start(pod, two))).toBe(first);
    const [own] = await logOf(make, {});
    expect(own).not.toBe(first);
  });

  it("sees the host's processes and messages only when the pod asks for them", async () => {
    const script = "readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc";
    const host = await Promise.all(["pid", "ipc"].map((kind) => readlink(`/proc/self/ns/${kind}`)));
    expect(await logOf(script, { hostPID: true, hostIPC: true })).toEqual(host);
    for (const space of await logOf(script, {})) expect(host).not.toContain(space);
  });

  it("has its ports at the pod's address", async () => {
    const container = { name: "main", ...sh("echo at the pod | nc -l -p 8080") };
    const pod = await fixture.pod([container]);
    const handle = await fixture.start(pod, container);
    const address = await fixture.runtime.probeAddress(handle.uid, fixture.signal);
    expect(await readAll(8080, address)).toBe("at the pod\n");
    await fixture.ended(handle);
  });

  it("holds a pod together without privileges", async () => {
    const container = { name: "main", ...sh("true") };
    const { id } = await fixture.create(await fixture.pod([container]), container);
    const inspect = (one: string) =>
      fixture.engine.json<{ HostConfig: { NetworkMode: string; Privileged: boolean } }>({
        method: "GET",
        path: `/containers/${one}/json`,
        signal: fixture.signal,
      });
    const { HostConfig } = await inspect(id);
    const sandbox = await inspect(HostConfig.NetworkMode.replace("container:", ""));
    expect([HostConfig.Privileged, sandbox.HostConfig.Privileged]).toEqual([false, false]);
  });

  it("publishes a port of the pod on the host", async () => {
    const [hostPort = 0] = await freePorts(1);
    const container = {
      name: "main",
      ...sh("echo through the host | nc -l -p 8080"),
      ports: [{ containerPort: 8080, hostPort, hostIP: "127.0.0.1" }],
    };
    const pod = await fixture.pod([container]);
    const handle = await fixture.start(pod, container);
    expect(await readAll(hostPort)).toBe("through the host\n");
    await fixture.ended(handle);
  });

  it("tells the host's address as that of a pod on its network", async () => {
    await using other = await RuntimeFixture.open(engine.host, undefined, { hostIP: "192.0.2.8" });
    const pod = await other.pod([{ name: "main" }], { hostNetwork: true });
    const { podIPs } = await other.runtime.ensureSandbox(
      { pod, directory: other.folder },
      other.signal,
    );
    expect(podIPs).toEqual(["192.0.2.8"]);
  });

  it("is on the host's network and under its name when the pod asks for that", async () => {
    const [port = 0] = await freePorts(1);
    const container = { name: "main", ...sh(`hostname; echo from the host | nc -l -p ${port}`) };
    const pod = await fixture.pod([container], { hostNetwork: true });
    const handle = await fixture.start(pod, container);
    expect(await fixture.runtime.probeAddress(handle.uid, fixture.signal)).toBe("127.0.0.1");
    await fixture.logHas(handle, "\n");
    expect(await readAll(port)).toBe("from the host\n");
    await fixture.ended(handle);
  });

  it("says that a RuntimeClass is not known here, and gives one that is to the engine", async () => {
    const spec = { runtimeClassName: "fast" };
    await expect(fixture.run(sh("true"), {}, spec)).rejects.toMatchObject({
      code: "CreateFailed",
      message: 'RuntimeClass "fast" is not among the runtimeClasses of this plugin (none).',
    });
    const runtime = engine.kind === "podman" ? "crun" : "runc";
    const runtimeClasses = { fast: runtime };
    await using other = await RuntimeFixture.open(engine.host, undefined, { runtimeClasses });
    const { ended, handle } = await other.run(sh("true"), {}, spec);
    expect(ended.exitCode).toBe(0);
    const inspected = await other.engine.json<object>({
      method: "GET",
      path: `/containers/${handle.id}/json`,
      signal: other.signal,
    });
    // Podman takes no runtime over its compatible API, and says its own.
    if (engine.kind === "docker")
      expect(inspected).toMatchObject({ HostConfig: { Runtime: runtime } });
  });
});

/** Everything that a server says, as soon as it listens. */
async function readAll(port: number, address = "127.0.0.1"): Promise<string> {
  return waitUntil(`something is said at port ${port}`, () => {
    const socket = connect(port, address);
    onTestFinished(() => void socket.destroy());
    // An engine's proxy may take a call for which nobody listens yet.
    return text(socket).then((said) => said || undefined);
  });
}
