import type { Container, PodSpec, SecurityContext } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { ProviderFixture } from "./provider-fixture.ts";

const busybox = (more: Partial<Container> = {}): Container => ({
  name: "main",
  image: BUSYBOX,
  imagePullPolicy: "IfNotPresent",
  command: ["true"],
  ...more,
});

describeEngines("what a real engine cannot give to pods", (engine) => {
  let fixture: ProviderFixture;
  beforeAll(async () => {
    fixture = await ProviderFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it.each<[string, Partial<PodSpec> | object]>([
    ["hostUsers: false", { hostUsers: false }],
    ["os.name: windows", { os: { name: "windows" } }],
    [
      "hugepages-2Mi",
      { containers: [busybox({ resources: { limits: { "hugepages-2Mi": "2Mi" } } })] },
    ],
    ["of the kind nfs", { volumes: [{ name: "v", nfs: { server: "s", path: "/" } }] }],
    ["of medium HugePages", { volumes: [{ name: "v", emptyDir: { medium: "HugePages" } }] }],
    ["not below a directory", { volumes: [{ name: "v", hostPath: { path: "/etc" } }] }],
  ])("is refused before anything of the pod is made: %s", async (words, spec) => {
    const data = fixture.data({ containers: [busybox()], ...spec });
    await expect(fixture.provider.create(data, fixture.signal)).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringContaining(words) as string,
    });
    expect(await fixture.inEngine(data)).toEqual([]);
  });

  it.each<[string, SecurityContext]>([
    [
      "cannot load seccomp profile",
      { seccompProfile: { type: "Localhost", localhostProfile: "x" } },
    ],
    [
      "seccomp profile",
      { seccompProfile: { type: "Localhost", localhostProfile: "../../etc/passwd" } },
    ],
    ["breaks non-root policy", { runAsNonRoot: true, runAsUser: 0 }],
  ])("is told in the container's status: %s", async (words, securityContext) => {
    const data = await fixture.create({ containers: [busybox({ securityContext })] });
    expect(await waiting(fixture, data)).toMatchObject({
      reason: "CreateContainerConfigError",
      message: expect.stringContaining(words.replace("cannot load ", "")) as string,
    });
    await fixture.remove(data, 0);
  });

  it("does not leave out an AppArmor profile that the machine cannot enforce", async () => {
    const { SecurityOptions } = await fixture.engine.json<{ SecurityOptions?: string[] | null }>({
      method: "GET",
      path: "/info",
      signal: fixture.signal,
    });
    const isEnabled = (SecurityOptions ?? []).some((option) => option.startsWith("name=apparmor"));
    const appArmorProfile = { type: "Localhost", localhostProfile: "none-of-this-name" };
    const data = await fixture.create({
      containers: [busybox({ securityContext: { appArmorProfile } })],
    });
    const { reason, message } = await waiting(fixture, data);
    // Where it is enabled, the engine says that there is no such profile.
    if (!isEnabled) {
      expect(reason).toBe("CreateContainerConfigError");
      expect(message).toBe("Cannot enforce AppArmor: AppArmor is not enabled on the host");
    }
    await fixture.remove(data, 0);
  });

  it("is what the operator forbids, too", async () => {
    await using strict = await ProviderFixture.open(engine.host, {
      forbid: ["privileged", "hostNetwork", "capabilities"],
    });
    const privileged = busybox({ securityContext: { privileged: true } });
    await expect(strict.create({ containers: [privileged] })).rejects.toThrow("(privileged)");
    const onHost: PodSpec = { hostNetwork: true, containers: [busybox()] };
    await expect(strict.create(onHost)).rejects.toThrow("(hostNetwork)");
    const data = await strict.create({ containers: [busybox()] });
    expect((await strict.ended(data)).state?.terminated?.exitCode).toBe(0);
    // One that comes later, to a pod that is there.
    const later = { ...privileged, name: "debugger" };
    const main = { ...busybox(), command: ["sleep", "1000"] };
    const running = await strict.create({ containers: [main] });
    await strict.running(running);
    const pod = { ...running.pod, spec: { ...running.pod.spec, ephemeralContainers: [later] } };
    await strict.provider.update?.({ ...running, pod } as typeof running, strict.signal);
    await expect
      .poll(async () => {
        const status = await strict.status(running);
        return status?.extension?.ephemeralContainers?.[0]?.state?.waiting?.message;
      })
      .toContain("(privileged)");
  });
});

async function waiting(
  fixture: ProviderFixture,
  data: Awaited<ReturnType<ProviderFixture["create"]>>,
): Promise<{ reason?: string; message?: string }> {
  const { state } = await fixture.containerWhere(
    data,
    "main",
    (status) =>
      status.state?.waiting?.reason?.startsWith("CreateContainer") === true ||
      status.state?.terminated !== undefined,
  );
  return state?.waiting ?? {};
}
