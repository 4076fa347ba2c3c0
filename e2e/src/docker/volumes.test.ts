import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PodSpec } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { ProviderFixture } from "./provider-fixture.ts";

type Volume = NonNullable<PodSpec["volumes"]>[number];
type Mount = NonNullable<PodSpec["containers"][number]["volumeMounts"]>[number];

describeEngines("volumes of the site, on a real engine", (engine) => {
  const name = `test-${randomUUID().slice(0, 8)}`;
  let site: string;
  let fixture: ProviderFixture;
  beforeAll(async () => {
    site = await realpath(await mkdtemp(join(tmpdir(), "interlink-site-")));
    await mkdir(join(site, "open"), { mode: 0o777 });
    await mkdir(join(site, "closed"));
    await writeFile(join(site, "closed/secret"), "not for pods\n");
    fixture = await ProviderFixture.open(engine.host, {
      hostPaths: [join(site, "open")],
      claims: [
        { claim: "in-volume", volume: `${name}_{namespace}_{claim}` },
        { claim: "fixed", directory: join(site, "fixed"), readOnly: true },
        { claim: "data*", directory: join(site, "claims/{namespace}/{claim}") },
      ],
    });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    await fixture.engine
      .json({
        method: "DELETE",
        path: `/volumes/${name}_default_in-volume`,
        signal: fixture.signal,
      })
      .catch(() => undefined);
    await rm(site, { recursive: true });
  });

  const spec = (script: string, volume: Omit<Volume, "name">, mount: Partial<Mount> = {}) => ({
    containers: [
      {
        name: "main",
        image: BUSYBOX,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", script],
        volumeMounts: [{ name: "v", mountPath: "/v", ...mount }],
      },
    ],
    volumes: [{ name: "v", ...volume }],
  });
  /** Log of a pod that succeeds. */
  async function run(pod: PodSpec): Promise<string> {
    const data = await fixture.create(pod);
    const ended = await fixture.ended(data);
    const log = await fixture.log(data);
    expect({ exit: ended.state?.terminated?.exitCode, log }).toMatchObject({ exit: 0 });
    return log;
  }
  const claim = (claimName: string, readOnly = false): Omit<Volume, "name"> => ({
    persistentVolumeClaim: { claimName, readOnly },
  });

  it("keeps what a claim holds from pod to pod, in a directory of the site", async () => {
    await run(spec("id -u; echo kept > /v/f", claim("data-1")));
    expect(await readFile(join(site, "claims/default/data-1/f"), "utf8")).toBe("kept\n");
    expect(await run(spec("cat /v/f", claim("data-1")))).toBe("kept\n");
  });

  it("gives a claim to the pod's group", async () => {
    const pod = spec("id -u; echo x > /v/f; ls -ln /v/f", claim("data-2"));
    const securityContext = { runAsUser: 1234, runAsGroup: 1234, fsGroup: 4321 };
    expect(await run({ ...pod, securityContext })).toMatch(/^1234\n.* 1234 +4321 /);
    expect((await stat(join(site, "claims/default/data-2"))).gid).toBe(4321);
  });

  it("keeps a claim in a volume of the engine, also part of it", async () => {
    await run(spec("mkdir /v/sub; echo in volume > /v/sub/f", claim("in-volume")));
    expect(await run(spec("cat /v/f", claim("in-volume"), { subPath: "sub" }))).toBe("in volume\n");
    const inspected = await fixture.engine.json<{ Labels?: object | null }>({
      method: "GET",
      path: `/volumes/${name}_default_in-volume`,
      signal: fixture.signal,
    });
    expect(Object.keys(inspected.Labels ?? {})).toEqual([]);
  });

  it("lets nobody write where the mount, the claim or the site says read-only", async () => {
    const attempt =
      "echo x > /v/new && echo written; mount -o remount,rw /v 2>/dev/null; rm -f /v/f; ls /v; true";
    await mkdir(join(site, "fixed"));
    await writeFile(join(site, "fixed/f"), "");
    await run(spec("echo > /v/f", claim("data-3")));
    for (const pod of [
      spec(attempt, claim("fixed")),
      spec(attempt, claim("data-3", true)),
      spec(attempt, claim("data-3"), { readOnly: true }),
    ]) {
      const log = await run(pod);
      expect(log).not.toContain("written");
      expect(log).toMatch(/^f$/m);
    }
  });

  it("refuses a claim that no rule speaks of, with what to do", async () => {
    await expect(fixture.create(spec("true", claim("other")))).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringMatching(
        /no rule of this plugin says where the claim default\/other lies; ask the operator/,
      ) as string,
    });
  });

  it("opens no path of the host but those that are listed, whatever leads there", async () => {
    const hostPath = (path: string, type = "") => ({ hostPath: { path, type } });
    await run(spec("echo x > /v/f", hostPath(join(site, "open"), "Directory")));
    expect(await readFile(join(site, "open/f"), "utf8")).toBe("x\n");
    await symlink(join(site, "closed"), join(site, "open/link"));
    for (const path of ["closed", "open/link", "open/../closed", "open/link/secret"]) {
      await expect(fixture.create(spec("true", hostPath(join(site, path))))).rejects.toMatchObject({
        code: "rejected",
      });
    }
    await expect(
      fixture.create(spec("true", hostPath(join(site, "open/f"), "Directory"))),
    ).rejects.toThrow(`hostPath type check failed: ${join(site, "open/f")} is not a directory`);
  });

  it("lets no link that a pod makes in its volume lead out of it", async () => {
    const links = `ln -s ${site}/closed /v/absolute; ln -s ../../../closed /v/relative; ln -s / /v/root`;
    await run(spec(links, claim("data-4")));
    for (const subPath of ["absolute", "relative", "root", "root/etc", "../data-1"]) {
      const data = await fixture.create(spec("cat /v/*", claim("data-4"), { subPath }));
      const { state } = await waitingOf(data);
      expect(state?.waiting).toMatchObject({ reason: "CreateContainerConfigError" });
      await fixture.remove(data, 0);
    }
    // The whole volume: its links lead where the container's own root has nothing.
    expect(
      await run(spec("cat /v/absolute/secret 2>/dev/null || echo none", claim("data-4"))),
    ).toBe("none\n");
  });

  async function waitingOf(data: Awaited<ReturnType<ProviderFixture["create"]>>) {
    return fixture.containerWhere(data, "main", ({ state }) =>
      state?.waiting?.reason?.startsWith("CreateContainer"),
    );
  }
});
