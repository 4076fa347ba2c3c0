import { expect } from "vitest";
import { eventsOf, outputOf, STAY, valuesOf, waitingFor } from "./pod-helpers.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";

const ISOLATES_NOTHING = {
  process: "The process plugin isolates nothing: containers are processes of its own user.",
  slurm: SLURM_LIMITS.users,
};

function runtimeClass(name: string, handler: string, more: object = {}): object {
  return {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name },
    handler,
    ...more,
  };
}

/** Behaviours 83 to 85. */
export const security: Group = (behaviour) => {
  behaviour(83, { notApplicable: ISOLATES_NOTHING }, async (site) => {
    const show = `echo "ids=$(id -u):$(id -g) $(id -G)"; echo "root=$(touch /own 2> /dev/null && echo writable)"
      grep -E '^(NoNewPrivs|CapEff|Seccomp):' /proc/self/status | tr -d '\\t' | tr ':' '='`;
    const run = (name: string, securityContext: object, pod: object = {}) =>
      valuesOf(site, `security-${name}`, {
        command: show,
        spec: { securityContext: pod },
        container: { securityContext },
      });
    const seccomp = (type: string) => ({ seccompProfile: { type } });
    const pod = { runAsUser: 1001, runAsGroup: 2002, supplementalGroups: [3003], fsGroup: 4004 };
    const [plain, user, own, readOnly, capable] = await Promise.all([
      run("plain", { privileged: false, ...seccomp("RuntimeDefault") }),
      run("user", { allowPrivilegeEscalation: false }, pod),
      run("own", { runAsUser: 1005, runAsGroup: 2005, ...seccomp("Unconfined") }, pod),
      run("read-only", { readOnlyRootFilesystem: true }),
      run("capable", { capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }),
    ]);
    expect(plain).toMatchObject({ root: "writable", NoNewPrivs: "0", Seccomp: "2" });
    expect(plain["ids"]).toMatch(/^0:0 /);
    expect(user).toMatchObject({ ids: "1001:2002 2002 3003 4004", NoNewPrivs: "1", root: "" });
    expect(own).toMatchObject({ ids: "1005:2005 2005 3003 4004", Seccomp: "0" });
    expect(readOnly["root"]).toBe("");
    const capabilities = (of: Record<string, string>) => BigInt(`0x${of["CapEff"]}`);
    const [NET_BIND_SERVICE, SYS_ADMIN] = [1n << 10n, 1n << 21n] as const;
    expect(capabilities(plain) & SYS_ADMIN).toBe(0n);
    expect(capabilities(capable)).toBe(NET_BIND_SERVICE);
    expect(capabilities(user)).toBe(0n);
  });

  behaviour(83, { notApplicable: ISOLATES_NOTHING }, async (site) => {
    const name = "non-root";
    const nonRoot = (more = {}) => ({ securityContext: { runAsNonRoot: true, ...more } });
    await site.createPod(name, { container: nonRoot() });
    expect(await waitingFor(site, name, "CreateContainerConfigError")).toContain(
      "container has runAsNonRoot and image will run as root",
    );
    await site.delete(name);
    const container = nonRoot({ runAsUser: 1234 });
    expect(await outputOf(site, `${name}-user`, { command: "id -u", container })).toBe("1234\n");
  });

  behaviour(
    84,
    { notApplicable: { ...ISOLATES_NOTHING, slurm: SLURM_LIMITS.sysctls } },
    async (site) => {
      const sysctls = [
        { name: "net.ipv4.ip_local_port_range", value: "32000 33000" },
        { name: "kernel.shm_rmid_forced", value: "1" },
      ];
      const output = await outputOf(site, "sysctls", {
        command: "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shm_rmid_forced",
        spec: { securityContext: { sysctls } },
      });
      expect(output).toBe("32000\t33000\n1\n");
    },
  );

  behaviour(84, {}, async (site) => {
    const name = "unsafe-sysctl";
    const sysctls = (one: string) => ({
      securityContext: { sysctls: [{ name: one, value: "1" }] },
    });
    await site.createPod(name, { spec: sysctls("kernel.msgmax") });
    const { status } = await site.podInPhase(name, "Failed");
    expect(status?.reason).toBe("SysctlForbidden");
    expect(status?.message).toContain('forbidden sysctl: "kernel.msgmax" not allowlisted');
    await eventsOf(site, name, "SysctlForbidden");
    await site.delete(name);
    await expect(site.createPod(name, { spec: sysctls("foo-") })).rejects.toThrow("Invalid value");
  });

  behaviour(85, { notApplicable: { slurm: SLURM_LIMITS.runtimes } }, async (site) => {
    const no = site.createPod("runtime-none", { spec: { runtimeClassName: "no-such-class" } });
    await expect(no).rejects.toThrow('RuntimeClass "no-such-class" not found');

    await site.apply(runtimeClass("unknown", "no-such-handler"));
    await site.createPod("runtime-unknown", { spec: { runtimeClassName: "unknown" } });
    const [message] = await eventsOf(site, "runtime-unknown", "FailedCreatePodSandBox");
    expect(message).toContain('"unknown"');
    const { status } = await site.podInPhase("runtime-unknown", "Pending");
    expect(status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe("ContainerCreating");
    await site.delete("runtime-unknown");
    await site.kubectl.run(["delete", "runtimeclass", "unknown"]);
  });

  behaviour(85, {}, async (site) => {
    // The overhead of a class counts, for the scheduler and for the node.
    const overhead = { overhead: { podFixed: { cpu: "100000" } } };
    await site.apply(runtimeClass("heavy", "no-such-handler", overhead));
    const heavy = { runtimeClassName: "heavy" };
    await site.createPod("overhead", { command: STAY, spec: heavy });
    await site.createPod("overhead-bound", {
      command: STAY,
      spec: { ...heavy, nodeName: site.system.nodeName },
    });
    expect((await eventsOf(site, "overhead", "FailedScheduling"))[0]).toContain("Insufficient cpu");
    const rejected = await site.podInPhase("overhead-bound", "Failed");
    expect(rejected.status?.reason).toBe("OutOfcpu");
    await site.delete("overhead", "overhead-bound");
    await site.kubectl.run(["delete", "runtimeclass", "heavy"]);
  });
};
