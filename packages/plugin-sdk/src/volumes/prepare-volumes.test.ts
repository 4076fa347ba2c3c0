import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import type { PodSpec, VolumeMount } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { defined } from "../testing/defined.ts";
import { podData } from "../testing/pod-data.ts";
import { temporaryDirectory } from "../testing/temporary-directory.ts";
import type { PrepareVolumesOptions } from "./pod-volumes.ts";
import { prepareVolumes, updateVolumes } from "./prepare-volumes.ts";

const NO_ENV: { name: string; value: string }[] = [];

function mounting(mounts: VolumeMount[], spec: Partial<PodSpec> = {}) {
  return podData("u-1", { containers: [{ name: "main", volumeMounts: mounts }], ...spec });
}

async function mountsOf(
  data: ReturnType<typeof podData>,
  options: PrepareVolumesOptions,
  env = NO_ENV,
) {
  const volumes = await prepareVolumes(data, options);
  return volumes.mounts(defined(data.pod.spec?.containers[0]), env);
}

function configMapPod(contents: Record<string, string>, mounts?: VolumeMount[]) {
  const data = mounting(mounts ?? [{ name: "conf", mountPath: "/conf" }], {
    volumes: [{ name: "conf", configMap: { name: "cm", defaultMode: 0o640 } }],
  });
  defined(data.container[0]).configMaps = [{ metadata: { name: "cm" }, data: contents }];
  return data;
}

describe("volumes of files", () => {
  test("have the layout of the kubelet's atomic writer and are read-only", async () => {
    await using directory = await temporaryDirectory();
    const data = configMapPod({ a: "1", b: "2" });
    const [mount] = await mountsOf(data, { directory: directory.path });
    expect(mount).toEqual({
      hostPath: join(directory.path, "conf"),
      mountPath: "/conf",
      readOnly: true,
    });
    const path = join(directory.path, "conf");
    expect(await readlink(join(path, "a"))).toBe("..data/a");
    expect(await readlink(join(path, "..data"))).toMatch(/^\.\.\d{4}_/);
    expect(await readFile(join(path, "a"), "utf8")).toBe("1");
    expect((await stat(join(path, "b"))).mode & 0o777).toBe(0o640);
  });

  test("can be read by every user, however strict the plugin's umask is", async () => {
    await using directory = await temporaryDirectory();
    const data = configMapPod({ key: "1" });
    const [volume] = defined(data.pod.spec?.volumes);
    Object.assign(defined(volume?.configMap), { items: [{ key: "key", path: "deep/er/key" }] });
    const before = process.umask(0o077);
    try {
      await mountsOf(data, { directory: directory.path });
    } finally {
      process.umask(before);
    }
    for (const path of ["", "..data", "..data/deep", "..data/deep/er"]) {
      expect((await stat(join(directory.path, "conf", path))).mode & 0o777, path).toBe(0o755);
    }
  });

  test("written again with the same content stay untouched; with another one change all at once", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "conf");
    await mountsOf(configMapPod({ a: "1", b: "2" }), { directory: directory.path });
    const first = await readlink(join(path, "..data"));
    await mountsOf(configMapPod({ a: "1", b: "2" }), { directory: directory.path });
    expect(await readlink(join(path, "..data"))).toBe(first);
    await mountsOf(configMapPod({ a: "new", c: "3" }), { directory: directory.path });
    const second = await readlink(join(path, "..data"));
    expect(second).not.toBe(first);
    expect(new Set(await readdir(path))).toEqual(new Set([second, "..data", "a", "c"]));
    expect(await readFile(join(path, "a"), "utf8")).toBe("new");
  });

  test("half written by a crash are completed", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "conf");
    await mkdir(join(path, "..2026_half"), { recursive: true });
    await symlink("..2026_half", join(path, "..data"));
    await symlink("nowhere", join(path, "..data_tmp"));
    await mountsOf(configMapPod({ a: "1" }), { directory: directory.path });
    expect(await readFile(join(path, "a"), "utf8")).toBe("1");
    expect(await readdir(path)).not.toContain("..2026_half");
  });

  test("give single keys by subPath as files", async () => {
    await using directory = await temporaryDirectory();
    const data = configMapPod({ a: "1" }, [{ name: "conf", mountPath: "/a", subPath: "a" }]);
    const [mount] = await mountsOf(data, { directory: directory.path });
    expect((await lstat(defined(mount).hostPath)).isFile()).toBe(true);
    expect(await readFile(defined(mount).hostPath, "utf8")).toBe("1");
  });
});

const emptyDirPod = (mounts: VolumeMount[], spec: Partial<PodSpec> = {}) =>
  mounting(mounts, { volumes: [{ name: "work", emptyDir: {} }], ...spec });

describe("emptyDir", () => {
  test("is open to every user and keeps its content", async () => {
    await using directory = await temporaryDirectory();
    const data = emptyDirPod([{ name: "work", mountPath: "work" }]);
    const [mount] = await mountsOf(data, { directory: directory.path });
    expect(mount).toMatchObject({ mountPath: "/work", readOnly: false });
    expect((await stat(defined(mount).hostPath)).mode & 0o777).toBe(0o777);
    await writeFile(join(defined(mount).hostPath, "kept"), "");
    await mountsOf(data, { directory: directory.path });
    expect(await readdir(defined(mount).hostPath)).toEqual(["kept"]);
  });

  test.runIf(process.geteuid?.() === 0)(
    "whose making broke off is made whole the next time, its group included",
    async () => {
      await using directory = await temporaryDirectory();
      const prepared = (fsGroup: number) => {
        const data = emptyDirPod([{ name: "work", mountPath: "/w" }]);
        defined(data.pod.spec).securityContext = { fsGroup };
        return mountsOf(data, { directory: directory.path });
      };
      await expect(prepared(2 ** 40)).rejects.toThrow();
      await prepared(4711);
      const { gid, mode } = await stat(join(directory.path, "work"));
      expect({ gid, mode: mode & 0o7777 }).toEqual({ gid: 4711, mode: 0o2777 });
    },
  );

  test("two containers that start at once may want the same missing subPath", async () => {
    await using directory = await temporaryDirectory();
    const data = emptyDirPod([{ name: "work", mountPath: "/w", subPath: "a/b" }]);
    const volumes = await prepareVolumes(data, { directory: directory.path });
    const container = defined(data.pod.spec?.containers[0]);
    const both = Array.from({ length: 8 }, () => volumes.mounts(container, []));
    for (const [mount] of await Promise.all(both)) {
      expect(mount?.hostPath).toBe(join(directory.path, "work", "a", "b"));
    }
  });

  test("in memory is hinted at only where a tmpfs behaves the same", async () => {
    await using directory = await temporaryDirectory();
    const one = [{ name: "work", mountPath: "/w" }];
    const volumes = [{ name: "work", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }];
    const tmpfs = async (mounts: VolumeMount[], restartPolicy: string) => {
      const data = mounting(mounts, { volumes, restartPolicy });
      return (await mountsOf(data, { directory: directory.path }))[0]?.tmpfs;
    };
    expect(await tmpfs(one, "Never")).toEqual({ sizeBytes: 1_048_576 });
    expect(await tmpfs(one, "Always")).toBeUndefined();
    expect(await tmpfs([...one, { name: "work", mountPath: "/x" }], "Never")).toBeUndefined();
    expect(await tmpfs([{ ...defined(one[0]), subPath: "s" }], "Never")).toBeUndefined();
  });

  test("a subPath that is missing is made, as wide as the volume", async () => {
    await using directory = await temporaryDirectory();
    const data = emptyDirPod([{ name: "work", mountPath: "/w", subPath: "a/./b" }]);
    const [mount] = await mountsOf(data, { directory: directory.path });
    expect(mount?.hostPath).toBe(join(directory.path, "work", "a", "b"));
    expect((await stat(defined(mount).hostPath)).mode & 0o777).toBe(0o777);
  });

  test("a part of a volume that containers write to says where it must stay, one of files does not", async () => {
    await using directory = await temporaryDirectory();
    const mounts = [
      { name: "work", mountPath: "/w", subPath: "a" },
      { name: "work", mountPath: "/all" },
    ];
    const root = join(directory.path, "work");
    const prepared = await mountsOf(emptyDirPod(mounts), { directory: directory.path });
    expect(prepared.map(({ hostPath, within }) => [hostPath, within])).toEqual([
      [join(root, "a"), root],
      [root, undefined],
    ]);
    const files = configMapPod({ a: "1" }, [{ name: "conf", mountPath: "/a", subPath: "a" }]);
    const [file] = await mountsOf(files, { directory: directory.path });
    expect(file).not.toHaveProperty("within");
  });

  test("a part of a plugin's own volume must stay where the plugin says", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(join(directory.path, "site/v"), { recursive: true });
    const data = mounting([{ name: "own", mountPath: "/w", subPath: "a" }], {
      volumes: [{ name: "own", hostPath: { path: "/x" } }],
    });
    const within = join(directory.path, "site");
    const hostPath = join(within, "v");
    const withinOf = async (more: object) => {
      const resolveVolume = () => ({ hostPath, ...more });
      return (await mountsOf(data, { directory: directory.path, resolveVolume }))[0]?.within;
    };
    expect(await withinOf({})).toBe(hostPath);
    expect(await withinOf({ within })).toBe(within);
    expect(await withinOf({ within, isFixed: true })).toBeUndefined();
  });

  test("subPathExpr is expanded with the container's environment", async () => {
    await using directory = await temporaryDirectory();
    const data = emptyDirPod([{ name: "work", mountPath: "/w", subPathExpr: "$(POD)/x" }]);
    const env = [{ name: "POD", value: "p1" }];
    const [mount] = await mountsOf(data, { directory: directory.path }, env);
    expect(mount?.hostPath).toBe(join(directory.path, "work", "p1", "x"));
  });

  test.each<[Partial<VolumeMount>, string]>([
    [{ subPathExpr: "$(NONE)/$(EMPTY)" }, "missing value for EMPTY, NONE"],
    [{ subPathExpr: "$(ABS)" }, "error SubPath `/abs` must not be an absolute path"],
    [{ subPath: "/abs" }, "error SubPath `/abs` must not be an absolute path"],
    [{ subPathExpr: "$(UP)/x" }, "unable to provision SubPath `../x`: must not contain '..'"],
    [{ subPath: "a/../.." }, "unable to provision SubPath `a/../..`: must not contain '..'"],
    [{ name: "none" }, 'mounts the volume "none", which the pod does not have'],
  ])("%j is refused in the kubelet's words", async (mount, words) => {
    await using directory = await temporaryDirectory();
    const data = emptyDirPod([
      { name: "work", mountPath: "/w", ...mount },
      { name: "work", mountPath: "/x" },
    ]);
    const env = [
      { name: "EMPTY", value: "" },
      { name: "ABS", value: "/abs" },
      { name: "UP", value: ".." },
    ];
    const mounts = mountsOf(data, { directory: directory.path }, env);
    await expect(mounts).rejects.toMatchObject({ code: "rejected" });
    await expect(mounts).rejects.toThrow(words);
  });

  test.each([
    ["to a directory outside", (outside: string) => outside],
    ["to nowhere", (outside: string) => join(outside, "none")],
    ["to the parent", () => ".."],
  ])("a link %s, put there by a container, is not followed by a subPath", async (_name, target) => {
    await using directory = await temporaryDirectory();
    const outside = join(directory.path, "outside");
    const volumes = join(directory.path, "volumes");
    await mkdir(outside);
    await mkdir(join(volumes, "work"), { recursive: true });
    await symlink(target(outside), join(volumes, "work", "link"));
    for (const subPath of ["link", "link/deeper"]) {
      const data = emptyDirPod([{ name: "work", mountPath: "/w", subPath }]);
      await expect(mountsOf(data, { directory: volumes })).rejects.toThrow(
        'failed to prepare subPath for volumeMount "work" of container "main": it ',
      );
    }
    expect(await readdir(outside)).toEqual([]);
  });

  test("a link that stays inside is followed", async () => {
    await using directory = await temporaryDirectory();
    await mkdir(join(directory.path, "work", "real"), { recursive: true });
    await symlink("real", join(directory.path, "work", "link"));
    const data = emptyDirPod([{ name: "work", mountPath: "/w", subPath: "link/x" }]);
    const [mount] = await mountsOf(data, { directory: directory.path });
    expect(mount?.hostPath).toBe(join(directory.path, "work", "real", "x"));
  });
});

describe("other kinds", () => {
  const data = mounting([{ name: "host", mountPath: "/h" }], {
    volumes: [{ name: "host", hostPath: { path: "/data" } }],
  });

  test("are refused, naming volume and kind", async () => {
    await using directory = await temporaryDirectory();
    await expect(prepareVolumes(data, { directory: directory.path })).rejects.toThrow(
      'Volume "host" is of the kind hostPath',
    );
  });

  test("are the plugin's to provide", async () => {
    await using directory = await temporaryDirectory();
    const resolveVolume = () => ({ hostPath: directory.path, readOnly: true });
    expect(await mountsOf(data, { directory: directory.path, resolveVolume })).toEqual([
      { hostPath: directory.path, mountPath: "/h", readOnly: true },
    ]);
  });
});

test.runIf(process.geteuid?.() === 0)(
  "fsGroup owns the volumes, files readable by it",
  async () => {
    await using directory = await temporaryDirectory();
    const data = configMapPod({ a: "1" });
    const spec = defined(data.pod.spec);
    spec.securityContext = { fsGroup: 4242 };
    spec.volumes = [{ name: "conf", configMap: { name: "cm", defaultMode: 0o400 } }];
    await mountsOf(data, { directory: directory.path });
    const file = await stat(join(directory.path, "conf", "a"));
    expect(file).toMatchObject({ gid: 4242 });
    expect(file.mode & 0o777).toBe(0o440);
    const tree = await readlink(join(directory.path, "conf", "..data"));
    await mountsOf(data, { directory: directory.path });
    expect(await readlink(join(directory.path, "conf", "..data"))).toBe(tree);
  },
);

test("whatever a pod names, no file is written outside the volume directory", async () => {
  await using directory = await temporaryDirectory();
  const volumes = join(directory.path, "deep", "volumes");
  await mkdir(volumes, { recursive: true });
  const hostile = fc.oneof(
    fc.constantFrom("..", "../x", "/tmp/x", "a/../../x", ".", "", "..data", "..data/x", "\0", "a"),
    fc.string({ maxLength: 6 }),
  );
  await fc.assert(
    fc.asyncProperty(hostile, hostile, hostile, hostile, async (name, key, path, subPath) => {
      const mounts = [
        { name, mountPath: "/v", subPath },
        { name: "work", mountPath: "/w", subPath },
      ];
      const data = mounting(mounts, {
        volumes: [
          { name, configMap: { name: "cm", items: [{ key, path }] } },
          { name: "work", emptyDir: {} },
        ],
      });
      defined(data.container[0]).configMaps = [{ metadata: { name: "cm" }, data: { [key]: "x" } }];
      const result = await mountsOf(data, { directory: volumes }).catch((error: unknown) => {
        expect(error).toMatchObject({ name: "PluginError" });
        return [];
      });
      for (const { hostPath } of result) expect(hostPath.startsWith(`${volumes}/`)).toBe(true);
      expect(await readdir(directory.path)).toEqual(["deep"]);
      expect(await readdir(join(directory.path, "deep"))).toEqual(["volumes"]);
    }),
    { numRuns: 200 },
  );
});

describe("an update", () => {
  test("changes files only: subPath mounts keep theirs, emptyDirs their content", async () => {
    await using directory = await temporaryDirectory();
    const mounts = [
      { name: "conf", mountPath: "/conf" },
      { name: "conf", mountPath: "/key", subPath: "key" },
    ];
    const [whole, part] = await mountsOf(configMapPod({ key: "1" }, mounts), {
      directory: directory.path,
    });
    // What a bind mount does: hold on to the file itself.
    await using file = await open(defined(part).hostPath);
    await updateVolumes(configMapPod({ key: "2", more: "3" }, mounts), {
      directory: directory.path,
    });
    const path = defined(whole).hostPath;
    expect(await readFile(join(path, "key"), "utf8")).toBe("2");
    expect(await readFile(join(path, "more"), "utf8")).toBe("3");
    expect(await file.readFile("utf8")).toBe("1");
  });

  test("leaves the files of a container that is just starting where they are, until the next one", async () => {
    await using directory = await temporaryDirectory();
    const { path } = directory;
    const mounts = [{ name: "conf", mountPath: "/key", subPath: "key" }];
    const [part] = await mountsOf(configMapPod({ key: "1" }, mounts), { directory: path });
    const old = defined(part).hostPath;
    await updateVolumes(configMapPod({ key: "2" }, mounts), {
      directory: path,
      keepsOld: () => true,
    });
    expect(await readFile(old, "utf8")).toBe("1");
    await updateVolumes(configMapPod({ key: "3" }, mounts), { directory: path });
    await expect(readFile(old)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("empties the volume of an optional object that is gone", async () => {
    await using directory = await temporaryDirectory();
    const data = configMapPod({ key: "1" });
    Object.assign(defined(data.pod.spec?.volumes?.[0]?.configMap), { optional: true });
    const [mount] = await mountsOf(data, { directory: directory.path });
    defined(data.container[0]).configMaps = [];
    await updateVolumes(data, { directory: directory.path });
    const names = await readdir(defined(mount).hostPath);
    expect(names.filter((name) => !name.startsWith(".."))).toEqual([]);
    expect(names.filter((name) => /^\.\.\d/.test(name))).toHaveLength(1);
  });
});

test.skipIf(process.geteuid?.() !== 0)(
  "a token belongs to the pod's user, and with fsGroup its group may read it",
  async () => {
    await using directory = await temporaryDirectory();
    const data = mounting([{ name: "api", mountPath: "/api" }], {
      securityContext: { runAsUser: 1234, fsGroup: 4321 },
      volumes: [
        {
          name: "api",
          projected: {
            sources: [
              { serviceAccountToken: { path: "token" } },
              { configMap: { name: "kube-root-ca.crt" } },
            ],
          },
        },
      ],
    });
    defined(data.container[0]).projectedvolumemaps = [
      { metadata: { name: "api" }, data: { token: "secret", "ca.crt": "pem" } },
    ];
    const [mount] = await mountsOf(data, { directory: directory.path });
    const look = async (name: string) => {
      const { uid, gid, mode } = await stat(join(defined(mount).hostPath, name));
      return { uid, gid, mode: (mode & 0o777).toString(8) };
    };
    expect(await look("token")).toEqual({ uid: 1234, gid: 4321, mode: "640" });
    expect(await look("ca.crt")).toEqual({ uid: 0, gid: 4321, mode: "644" });
  },
);
