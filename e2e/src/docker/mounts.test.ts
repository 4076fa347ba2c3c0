import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Container, PodSpec, VolumeMount } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { runProgram } from "../systems/programs.ts";
import { unmountBelow } from "../systems/unmount.ts";
import { ProviderFixture } from "./provider-fixture.ts";

const busybox = (
  script: string,
  mounts: VolumeMount[],
  more: Partial<Container> = {},
): Container => ({
  name: "main",
  image: BUSYBOX,
  imagePullPolicy: "IfNotPresent",
  command: ["sh", "-c", script],
  volumeMounts: mounts,
  ...more,
});
const at = (mountPath: string, more: object = {}): VolumeMount => ({
  name: "v",
  mountPath,
  ...more,
});

describeEngines("how volumes are mounted on a real engine", (engine) => {
  let site: string;
  let fixture: ProviderFixture;
  beforeAll(async () => {
    site = await realpath(await mkdtemp(join(tmpdir(), "interlink-mounts-")));
    await mkdir(join(site, "tree/sub"), { recursive: true });
    await mkdir(join(site, "shared"));
    // Tests of Docker run as root, for only root starts a dockerd.
    await runProgram("mount", [
      "-t",
      "tmpfs",
      "-o",
      "nosuid,mode=0777",
      "t",
      join(site, "tree/sub"),
    ]);
    await writeFile(join(site, "tree/sub/inside"), "inside\n");
    await runProgram("mount", ["-t", "tmpfs", "s", join(site, "shared")]);
    await runProgram("mount", ["--make-shared", join(site, "shared")]);
    await mkdir(join(site, "shared/late"));
    fixture = await ProviderFixture.open(engine.host, { hostPaths: [site] });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    await unmountBelow(site);
    await rm(site, { recursive: true });
  });

  async function run(spec: PodSpec): Promise<string> {
    const data = await fixture.create(spec);
    await fixture.ended(data);
    const log = await fixture.log(data);
    await fixture.remove(data, 0);
    return log;
  }

  it("lets nobody write to a read-only volume, nor to what is mounted below it", async () => {
    const write =
      "cat /v/sub/inside; for f in /v/f /v/sub/f; do echo x > $f && echo written; done; true";
    const volumes = [{ name: "v", hostPath: { path: join(site, "tree") } }];
    for (const more of [{ readOnly: true }, { readOnly: true, recursiveReadOnly: "Enabled" }]) {
      const log = await run({ containers: [busybox(write, [at("/v", more)])], volumes });
      expect(log).toContain("inside\n");
      expect(log).not.toContain("written");
    }
    const open = await run({ containers: [busybox(write, [at("/v")])], volumes });
    expect(open.match(/written/g)).toHaveLength(2);
  });

  it("shows later mounts of the host where the pod wants them, and not else", async () => {
    const wait =
      "echo ready; until [ -e /v/late/inside ]; do usleep 50000; done; cat /v/late/inside";
    const data = await fixture.create({
      containers: [
        busybox(`${wait}; touch /flags/seen`, [
          at("/v", { mountPropagation: "HostToContainer" }),
          { name: "flags", mountPath: "/flags" },
        ]),
        busybox(
          "echo ready; until [ -e /flags/seen ]; do usleep 50000; done; ls /v/late; echo nothing",
          [at("/v", { mountPropagation: "None" }), { name: "flags", mountPath: "/flags" }],
          { name: "none" },
        ),
      ],
      volumes: [
        { name: "v", hostPath: { path: join(site, "shared") } },
        { name: "flags", emptyDir: {} },
      ],
    });
    await fixture.running(data);
    await fixture.running(data, "none");
    const late = join(site, "shared/late");
    await runProgram("mount", ["-t", "tmpfs", "l", late]);
    await writeFile(join(late, "inside"), "late\n");
    try {
      await fixture.ended(data);
      await fixture.ended(data, "none");
      expect(await fixture.log(data)).toBe("ready\nlate\n");
      expect(await fixture.log(data, "none")).toBe("ready\nnothing\n");
    } finally {
      await runProgram("umount", ["--lazy", late]);
    }
    await fixture.remove(data, 0);
  });

  it("gives mounts back to the host from privileged containers only", async () => {
    const volumes = [{ name: "v", hostPath: { path: join(site, "shared") } }];
    const mounts = [at("/v", { mountPropagation: "Bidirectional" })];
    await expect(
      fixture.create({ containers: [busybox("true", mounts)], volumes }),
    ).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringContaining("only privileged containers may have") as string,
    });
  });

  it("mounts the part of a volume that a variable names", async () => {
    const env = [{ name: "PART", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } }];
    const log = await run({
      initContainers: [
        busybox("echo x > /w/f", [at("/w", { subPathExpr: "$(PART)/a" })], { name: "init", env }),
      ],
      containers: [busybox("cat /v/default/a/f", [at("/v")])],
      volumes: [{ name: "v", emptyDir: {} }],
    });
    expect(log).toBe("x\n");
  });

  it("gives volumes to the pod's group, whatever the user", async () => {
    const data = await fixture.create(
      {
        securityContext: {
          runAsUser: 1234,
          runAsGroup: 1234,
          fsGroup: 4321,
          supplementalGroups: [77],
        },
        containers: [
          busybox(
            "echo x > /e/f; stat -c %g /e/f; stat -c '%g %a' /s/..data/key; cat /s/key; id -G",
            [
              { name: "e", mountPath: "/e" },
              { name: "s", mountPath: "/s" },
            ],
          ),
        ],
        volumes: [
          { name: "e", emptyDir: {} },
          { name: "s", secret: { secretName: "s", defaultMode: 0o400 } },
        ],
      },
      {
        secrets: [
          { metadata: { name: "s" }, data: { key: Buffer.from("k\n").toString("base64") } },
        ],
      },
    );
    await fixture.ended(data);
    expect(await fixture.log(data)).toBe("4321\n4321 440\nk\n1234 77 4321\n");
    await fixture.remove(data, 0);
  });
});
