import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PodSpec, SecurityContext } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { RuntimeFixture } from "./runtime-fixture.ts";

/** What a process is told of itself, one fact on each line. */
const SHOW = `id -u; id -g; id -G; touch /x 2>/dev/null && echo writable || echo read-only
grep -E '^(NoNewPrivs|CapEff|Seccomp):' /proc/self/status | tr -d '\\t'`;
const CHOWN = 1n << 0n;
const NET_RAW = 1n << 13n;
const SYS_TIME = 1n << 25n;

describeEngines("the security context of containers on a real engine", (engine) => {
  let fixture: RuntimeFixture;
  beforeAll(async () => {
    fixture = await RuntimeFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  async function show(
    securityContext: SecurityContext,
    pod: PodSpec["securityContext"] = {},
  ): Promise<{ ids: string[]; root: string; noNewPrivs: string; seccomp: string; caps: bigint }> {
    const container = { image: BUSYBOX, command: ["sh", "-c", SHOW], securityContext };
    const { log } = await fixture.run(container, {}, { securityContext: pod });
    const lines = log.split("\n");
    const value = (key: string): string =>
      lines.find((line) => line.startsWith(`${key}:`))?.slice(key.length + 1) ?? "";
    return {
      ids: lines.slice(0, 3),
      root: lines[3] ?? "",
      noNewPrivs: value("NoNewPrivs"),
      seccomp: value("Seccomp"),
      caps: BigInt(`0x${value("CapEff")}`),
    };
  }

  it("takes users and groups of both levels, the container's first", async () => {
    const pod = { runAsUser: 1001, runAsGroup: 2002, supplementalGroups: [3003], fsGroup: 4004 };
    const { ids, root } = await show({ runAsUser: 1005 }, pod);
    expect(ids).toEqual(["1005", "2002", "2002 3003 4004"]);
    expect(root).toBe("read-only");
  });

  it("gives and takes capabilities, by their short and their long names", async () => {
    const { caps } = await show({ capabilities: { add: ["CAP_SYS_TIME"], drop: ["NET_RAW"] } });
    expect([caps & SYS_TIME, caps & NET_RAW, caps & CHOWN]).toEqual([SYS_TIME, 0n, CHOWN]);
    const none = await show({ capabilities: { drop: ["ALL"] } });
    expect(none.caps).toBe(0n);
    const one = await show({ capabilities: { drop: ["ALL"], add: ["CHOWN"] } });
    expect(one.caps).toBe(CHOWN);
  });

  it("keeps the root file system read-only, and privileges where they are", async () => {
    const closed = await show({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(closed).toMatchObject({ root: "read-only", noNewPrivs: "1" });
    const open = await show({ allowPrivilegeEscalation: true });
    expect(open).toMatchObject({ root: "writable", noNewPrivs: "0" });
  });

  it("confines system calls by default, and not when told so", async () => {
    expect((await show({})).seccomp).toBe("2");
    expect((await show({ seccompProfile: { type: "Unconfined" } })).seccomp).toBe("0");
  });

  it("asks for all privileges when told so", async () => {
    const container = { name: "main", image: BUSYBOX, securityContext: { privileged: true } };
    // Not run: an engine that has not all privileges itself, as in many tests, cannot give them.
    const { id } = await fixture.create(await fixture.pod([container]), container);
    expect(
      await fixture.engine.json({
        method: "GET",
        path: `/containers/${id}/json`,
        signal: fixture.signal,
      }),
    ).toMatchObject({ HostConfig: { Privileged: true } });
  });

  it("confines system calls by a profile of the site that the pod names", async () => {
    const seccompProfiles = join(fixture.folder, "profiles");
    await mkdir(seccompProfiles, { recursive: true });
    await writeFile(join(seccompProfiles, "no-chmod.json"), JSON.stringify(noChmod()));
    await using other = await RuntimeFixture.open(engine.host, undefined, { seccompProfiles });
    const named = (localhostProfile: string) => ({
      image: BUSYBOX,
      command: ["sh", "-c", "touch /tmp/f; chmod 700 /tmp/f && echo done || echo refused"],
      securityContext: { seccompProfile: { type: "Localhost", localhostProfile } },
    });
    expect((await other.run(named("no-chmod.json"))).log).toContain("refused");
    await expect(other.run(named("none.json"))).rejects.toThrow(
      'cannot load seccomp profile "none.json": there is none',
    );
  });

  it("shows all of /proc to a container that may see it", async () => {
    const look = async (procMount: string): Promise<string> => {
      const container = {
        image: BUSYBOX,
        command: ["sh", "-c", "grep -c ' /proc/' /proc/self/mounts || true"],
        securityContext: { procMount },
      };
      return (await fixture.run(container)).log.trim();
    };
    expect(Number(await look("Default"))).toBeGreaterThan(0);
    expect(await look("Unmasked")).toBe("0");
  });
});

function noChmod(): object {
  const names = ["chmod", "fchmod", "fchmodat", "fchmodat2"];
  return { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names, action: "SCMP_ACT_ERRNO" }] };
}
