import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { RetrievedPodData } from "@interlink/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeSlurmWithRegistry } from "../systems/describe-system.ts";
import { runProgram } from "../systems/programs.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { bashImage, LoginNode, OUTSIDE, tsocksLibrary, whyNoLoginNode } from "./login-node.ts";
import { OwnRegistry } from "./own-registry.ts";
import { SiteProvider, writeProgram } from "./site-provider.ts";

describeSlurmWithRegistry("images of a registry", ({ slurm, apptainer }) => {
  const registry = new OwnRegistry();
  let site: SiteProvider;
  let pulled: string;

  beforeAll(async () => {
    await registry.start();
    await registry.push("tool", "1", apptainer.image, { WorkingDir: "/var" });
    site = new SiteProvider({ conf: slurm.conf, apptainer, user: slurm.user });
    pulled = join(site.folder, "pulled");
    writeFileSync(pulled, "");
    chmodSync(pulled, 0o666);
    const wrapper = join(site.folder, "wrapper");
    // Notes who pulls what, over plain HTTP.
    writeProgram(
      wrapper,
      `#!/bin/bash\nexport APPTAINER_NOHTTPS=1\nif [[ $3 == pull ]]; then echo "$(id -u) \${*: -1}" >>${pulled}; export HOME=\${HOME:-/root}; fi\nexec "$@"\n`,
    );
    for (const [name, owner] of [
      ["by-jobs", slurm.user.uid],
      ["by-plugin", process.getuid?.() ?? 0],
    ] as const) {
      const directory = join(site.folder, name);
      mkdirSync(directory, { mode: 0o755 });
      chownSync(directory, owner, owner);
    }
    await site.start(settings("by-jobs"));
  });
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  const settings = (cache: string) => ({
    SingularityPrefix: join(site.folder, "wrapper"),
    ImageCache: join(site.folder, cache),
  });
  const reference = (name: string) => `docker://${registry.address}/${name}`;
  const pulls = () => readFileSync(pulled, "utf8").trim().split("\n");
  const pod = (name: string) =>
    site.create("pwd; exit 4", {
      container: { image: reference(name), imagePullPolicy: "IfNotPresent" },
    });

  test("are pulled in jobs, once for pods that come at the same time", async () => {
    const pods = await Promise.all([pod("tool:1"), pod("tool:1")]);
    for (const one of pods) {
      expect(await site.until(one, "terminated", 120_000)).toMatchObject({ exitCode: 4 });
      expect(await site.log(one)).toBe("/var\n");
    }
    expect(pulls()).toEqual([`${slurm.user.uid} ${reference("tool:1")}`]);
  });

  test("that do not exist are told in the registry's words", async () => {
    const missing = await pod("none:1");
    const told = await site.until(missing, "waiting", 120_000).then(async () => {
      await expect
        .poll(async () => JSON.stringify(await site.status(missing)), { timeout: 120_000 })
        .toMatch(/ErrImagePull|ImagePullBackOff/);
      return JSON.stringify(await site.status(missing));
    });
    expect(told).toMatch(/manifest unknown|name unknown|not found/i);
    await site.delete(missing);
  });

  test("are run beside a pod that runs, and what changes is written by the job's user alone", async () => {
    const mounts = [
      { name: "v", mountPath: "/v" },
      { name: "v", mountPath: "/part", subPath: "key" },
    ];
    const watch =
      'last=; while :; do now=$(cat /v/key /part); [ "$now" = "$last" ] || echo "[$now]"; last=$now; sleep 0.1; done';
    const withValue = (data: RetrievedPodData, value: string): RetrievedPodData => ({
      ...data,
      container: data.container.map((one) => ({
        ...one,
        configMaps: [{ metadata: { name: "m" }, data: { key: value } }],
      })),
    });
    const update = (data: RetrievedPodData) =>
      site.provider.update?.(data, new AbortController().signal);
    const made = site.pod(watch, {
      container: { volumeMounts: mounts },
      spec: { volumes: [{ name: "v", configMap: { name: "m" } }] },
    });
    await site.provider.create(withValue(made, "old"), new AbortController().signal);
    await expect.poll(() => site.log(made), { timeout: 60_000 }).toBe("[oldold]\n");

    const debug = {
      name: "debug",
      image: reference("tool:1"),
      imagePullPolicy: "IfNotPresent",
      command: ["sh", "-c", "pwd; cat /v/key; exit 9"],
      volumeMounts: mounts.slice(0, 1),
    };
    const { pod } = made;
    const spec = { ...(pod.spec ?? { containers: [] }), ephemeralContainers: [debug] };
    const debugged = { ...made, pod: { ...pod, spec } };
    await update(withValue(debugged, "new"));
    await expect.poll(() => site.log(made), { timeout: 60_000 }).toBe("[oldold]\n[newold]\n");
    const ended = await waitUntil(
      "debug has ended",
      async () => (await site.status(made))?.extension?.ephemeralContainers?.[0]?.state?.terminated,
      120_000,
    );
    expect(ended.exitCode).toBe(9);
    expect(await site.log(made, "debug")).toBe("/var\nnew");
    expect((await site.status(made))?.containers[0]?.restartCount).toBe(0);

    // The job's user may put links where the plugin, which is root, would write.
    const volume = join(site.root, "pods", pod.metadata?.uid ?? "", "volumes", "v");
    expect(statSync(join(volume, "..data")).uid).toBe(slurm.user.uid);
    const closed = join(site.folder, "closed");
    mkdirSync(closed, { mode: 0o700 });
    renameSync(volume, `${volume}.old`);
    symlinkSync(closed, volume);
    await expect(update(withValue(debugged, "newer"))).rejects.toThrow("were not changed");
    expect(readdirSync(closed)).toEqual([]);
    await site.delete(made);
  });

  test("are pulled before the job where compute nodes cannot, which then begins", async () => {
    await site.close();
    await site.start({ ...settings("by-plugin"), PullOnLoginNode: true });
    writeFileSync(pulled, "");
    const pods = await Promise.all([pod("tool:1"), pod("tool:1")]);
    for (const one of pods) {
      expect(await site.until(one, "terminated", 120_000)).toMatchObject({ exitCode: 4 });
      expect(await site.log(one)).toBe("/var\n");
    }
    expect(pulls()).toEqual([`${process.getuid?.()} ${reference("tool:1")}`]);
  });

  const noTunnel = whyNoLoginNode();
  test.skipIf(noTunnel !== "")(
    `are pulled through a tunnel where jobs cannot dial out, and so do their containers${noTunnel}`,
    async () => {
      await using login = await LoginNode.start(slurm.user);
      const outside = registry.serveAlso(OUTSIDE, login.within);
      await registry.push("bash", "1", await bashImage(join(site.folder, "bash")), {});
      await site.close();
      const library = tsocksLibrary();
      await site.start({ ...settings("by-jobs"), ...login.settings, TsocksPath: library });
      const [host, port] = outside.split(":");
      const ask = `exec 3<>/dev/tcp/${host}/${port}; printf 'GET /v2/ HTTP/1.0\\r\\n\\r\\n' >&3; read -r line <&3; echo "$line"`;
      const wait = "exec 4<> <(:); read -r -u 4";
      const containers = [
        {
          name: "main",
          image: `docker://${outside}/bash:1`,
          command: ["bash", "-c", `${ask}; ${wait}`],
        },
        {
          // Linked statically: it does not take the library, and is not harmed by it.
          name: "other",
          image: `docker://${outside}/tool:1`,
          command: ["sh", "-c", `nc -w 5 ${host} ${port} </dev/null || echo nothing`],
        },
      ];
      const made = await site.create("", { spec: { containers } });
      await site.until(made, "running", 120_000);
      const answer = /^HTTP\/1\.\d 200 OK\r?\n$/;
      await expect.poll(() => site.log(made), { timeout: 60_000 }).toMatch(answer);
      await expect.poll(() => site.log(made, "other"), { timeout: 60_000 }).toMatch(/nothing\n$/);

      const { uid = "", name = "", namespace = "" } = made.pod.metadata ?? {};
      const session = await site.provider.exec?.(
        {
          Namespace: namespace,
          PodUID: uid,
          PodName: name,
          ContainerName: "main",
          Command: ["bash", "-c", ask],
          Stdin: false,
          Stdout: true,
          Stderr: true,
          TTY: false,
        },
        new AbortController().signal,
      );
      const [out, said] = await Promise.all(
        [session?.stdout, session?.stderr].map((stream) => text(stream ?? Readable.from([]))),
      );
      expect([out, said]).toEqual([expect.stringMatching(answer), ""]);

      await site.delete(made);
      await waitUntil("no tunnel is left", async () => {
        const left = await runProgram("pgrep", ["-u", String(slurm.user.uid), "-x", "ssh"]).catch(
          () => "",
        );
        return left.length === 0;
      });
    },
  );
});
