import { describe, expect, it } from "vitest";
import { testContainerSpec, testPod } from "../testing/pods.ts";
import { commandLine, containerConfig } from "./container-config.ts";

const OPTIONS = {
  plugin: "p",
  sandbox: "abc",
  isPodman: false,
  log: { maxSize: "1m", maxFiles: 2 },
};

function config(spec: Parameters<typeof containerConfig>[0]): {
  HostConfig: Record<string, unknown>;
  [key: string]: unknown;
} {
  return containerConfig(spec, OPTIONS) as never;
}

describe("containerConfig", () => {
  it("joins the sandbox, restarts nothing, and keeps the image's health check out", () => {
    const made = config(testContainerSpec());
    expect(made).toMatchObject({
      Image: "docker.io/library/busybox@sha256:00",
      Healthcheck: { Test: ["NONE"] },
      Tty: false,
      OpenStdin: false,
      HostConfig: {
        NetworkMode: "container:abc",
        IpcMode: "container:abc",
        RestartPolicy: { Name: "no" },
        LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
      },
    });
    for (const key of ["Entrypoint", "Cmd", "WorkingDir", "User", "StopSignal", "Hostname"]) {
      expect(made).not.toHaveProperty(key);
    }
    expect(made.HostConfig).not.toHaveProperty("PidMode");
  });

  it("shares the host name on Podman, too, and sets no timer there for a health check that is not", () => {
    const podman = (hasHealthcheck: boolean): object =>
      containerConfig(testContainerSpec(), {
        ...OPTIONS,
        isPodman: true,
        image: { user: "", hasHealthcheck },
      });
    expect(podman(false)).toMatchObject({ HostConfig: { UTSMode: "container:abc" } });
    expect(podman(false)).not.toHaveProperty("Healthcheck");
    expect(podman(true)).toMatchObject({ Healthcheck: { Test: ["NONE"] } });
    // Docker refuses this mode.
    expect(config(testContainerSpec()).HostConfig).not.toHaveProperty("UTSMode");
  });

  it("gives the kernel a score where the machine's memory is known, and limits on disk as they come", () => {
    expect(config(testContainerSpec()).HostConfig).not.toHaveProperty("OomScoreAdj");
    const storage = { StorageOpt: { size: "1000" } };
    expect(
      containerConfig(testContainerSpec(), { ...OPTIONS, machineMemory: 1e9, storage }),
    ).toMatchObject({ HostConfig: { OomScoreAdj: 1000, ...storage } });
  });

  it.each([
    [{ shareProcessNamespace: true }, { PidMode: "container:abc" }],
    [{ hostPID: true }, { PidMode: "host" }],
    [{ hostIPC: true }, { IpcMode: "host" }],
  ])("shares with %j what the pod asks for", (spec, expected) => {
    expect(config(testContainerSpec({}, { pod: testPod(spec) })).HostConfig).toMatchObject(
      expected,
    );
  });

  it("shows an ephemeral container the processes of its target, whatever the pod shares", () => {
    const target = { uid: "u", containerName: "main", attempt: 0, id: "0f" };
    const pod = testPod({ shareProcessNamespace: true });
    const made = config(testContainerSpec({}, { kind: "ephemeral", target, pod }));
    expect(made.HostConfig.PidMode).toBe("container:0f");
  });

  it("passes environment, directory, terminal and signal as they are", () => {
    const env = [
      { name: "A", value: "x=y\n'\"" },
      { name: "B", value: "" },
    ];
    const lifecycle = { stopSignal: "SIGUSR1" } as object;
    expect(
      config(
        testContainerSpec(
          { workingDir: "/a b", tty: true, stdin: true, stdinOnce: true, lifecycle },
          { env },
        ),
      ),
    ).toMatchObject({
      Env: ["A=x=y\n'\"", "B="],
      WorkingDir: "/a b",
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      StopSignal: "SIGUSR1",
    });
  });

  it("mounts by fields, so that no path can say more than a path", () => {
    const mounts = [
      { hostPath: "/jobs/a:b", mountPath: "/x:ro,y", readOnly: false },
      { hostPath: "/jobs/c", mountPath: "/c", readOnly: true },
    ];
    const volumeMounts = [
      { name: "c", mountPath: "/c", mountPropagation: "HostToContainer" as const },
    ];
    expect(config(testContainerSpec({ volumeMounts }, { mounts })).HostConfig.Mounts).toEqual([
      {
        Type: "bind",
        Source: "/jobs/a:b",
        Target: "/x:ro,y",
        ReadOnly: false,
        BindOptions: { Propagation: "rprivate" },
      },
      {
        Type: "bind",
        Source: "/jobs/c",
        Target: "/c",
        ReadOnly: true,
        BindOptions: { Propagation: "rslave" },
      },
      { Type: "bind", Source: "/jobs/x/termination", Target: "/dev/termination-log" },
    ]);
  });

  it("binds the termination message where the container writes it", () => {
    const made = config(testContainerSpec({ terminationMessagePath: "/tmp/end" }));
    expect(made.HostConfig.Mounts).toEqual([
      { Type: "bind", Source: "/jobs/x/termination", Target: "/tmp/end" },
    ]);
  });

  it("mounts an emptyDir in memory as the pod's volume of the engine, whole or not at all", () => {
    const mounts = [{ hostPath: "/h", mountPath: "/m", readOnly: false }];
    const mounted = (subPath?: string): unknown => {
      const volumeMounts = [{ name: "v", mountPath: "m", ...(subPath && { subPath }) }];
      const container = { name: "main", image: "busybox", volumeMounts };
      const volumes = [{ name: "v", emptyDir: { medium: "Memory" } }];
      const pod = testPod({ containers: [container], volumes });
      return config(testContainerSpec({ volumeMounts }, { pod, mounts })).HostConfig.Mounts;
    };
    expect(mounted()).toContainEqual({
      Type: "volume",
      Source: `interlink_${testPod().metadata?.uid}_v`,
      Target: "/m",
      ReadOnly: false,
      VolumeOptions: { NoCopy: true },
    });
    expect(mounted("part")).toContainEqual(
      expect.objectContaining({ Type: "bind", Source: "/h", Target: "/m" }),
    );
  });

  it("takes the container's security context when the supervisor gives no other", () => {
    const securityContext = { runAsUser: 7 };
    expect(config(testContainerSpec({ securityContext }))).toMatchObject({ User: "7" });
    const more = { securityContext: { runAsUser: 8 } };
    expect(config(testContainerSpec({ securityContext }, more))).toMatchObject({ User: "8" });
  });
});

describe("commandLine", () => {
  it.each([
    [undefined, undefined, {}],
    [[], [], {}],
    [undefined, ["a b", ""], { Cmd: ["a b", ""] }],
    [["c", "d"], undefined, { Entrypoint: ["c", "d"] }],
    [["c"], ["a"], { Entrypoint: ["c"], Cmd: ["a"] }],
  ])("gives command %j and args %j as %j", (command, args, expected) => {
    expect(commandLine({ ...(command && { command }), ...(args && { args }) })).toEqual(expected);
  });
});

describe("/etc/hosts", () => {
  const mountsOf = (spec: Parameters<typeof containerConfig>[0]): { Target: string }[] => {
    const made = containerConfig(spec, { ...OPTIONS, hostsFile: "/jobs/x/hosts" });
    return (made as { HostConfig: { Mounts: { Target: string }[] } }).HostConfig.Mounts;
  };

  it("is the pod's, unless the container brings its own", () => {
    expect(mountsOf(testContainerSpec())).toContainEqual({
      Type: "bind",
      Source: "/jobs/x/hosts",
      Target: "/etc/hosts",
    });
    const own = { hostPath: "/own", mountPath: "/etc/hosts", readOnly: true };
    const targets = mountsOf(testContainerSpec({}, { mounts: [own] })).map(({ Target }) => Target);
    expect(targets.filter((target) => target === "/etc/hosts")).toHaveLength(1);
  });
});

it("makes a mount read-only with all below it, or says that this engine cannot", () => {
  const volumeMounts = [
    { name: "v", mountPath: "/v", readOnly: true, recursiveReadOnly: "Enabled" },
  ];
  const mounts = [{ hostPath: "/h", mountPath: "/v", readOnly: true }];
  const spec = testContainerSpec({ volumeMounts }, { mounts });
  expect(containerConfig(spec, { ...OPTIONS, hasRecursiveReadOnly: true })).toMatchObject({
    HostConfig: { Mounts: [{ ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } }, {}] },
  });
  expect(() => config(spec)).toThrow("recursiveReadOnly: Enabled");
});

it("runs under the runtime of the pod's class", () => {
  expect(containerConfig(testContainerSpec(), { ...OPTIONS, runtime: "crun" })).toMatchObject({
    HostConfig: { Runtime: "crun" },
  });
});

it("mounts a claim by the name of its volume, and part of one by its path", () => {
  const mounts = (subPath?: string): unknown => {
    const volumeMounts = [
      { name: "v", mountPath: "/v", ...(subPath !== undefined && { subPath }) },
    ];
    const hostPath = `/engine/volumes/x/${subPath ?? ""}`;
    const made = containerConfig(
      testContainerSpec(
        { volumeMounts },
        { mounts: [{ hostPath, mountPath: "/v", readOnly: true }] },
      ),
      { ...OPTIONS, volumes: new Map([["v", "site_x"]]) },
    );
    return (made as { HostConfig: { Mounts: unknown[] } }).HostConfig.Mounts[0];
  };
  expect(mounts()).toMatchObject({ Type: "volume", Source: "site_x", ReadOnly: true });
  expect(mounts("sub")).toMatchObject({
    Type: "bind",
    Source: "/engine/volumes/x/sub",
    ReadOnly: true,
    BindOptions: { Propagation: "rslave" },
  });
});

it("gives the engine what is kept in the place of the host's path, so far as it mounts a path", () => {
  const container = { volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a" }] };
  const mounts = [{ hostPath: "/site/v/a", within: "/site/v", mountPath: "/v", readOnly: true }];
  const kept = new Map([["/v", "/run/kept/0"]]);
  const made = (more: object) =>
    containerConfig(testContainerSpec(container, { mounts }), { ...OPTIONS, kept, ...more });
  const [mount] = (made({}) as { HostConfig: { Mounts: object[] } }).HostConfig.Mounts;
  expect(mount).toEqual({
    Type: "bind",
    Source: "/run/kept/0",
    Target: "/v",
    ReadOnly: true,
    BindOptions: { Propagation: "rprivate" },
  });
  // Given any options, Podman leaves out what is mounted below.
  const [other] = (made({ isPodman: true }) as { HostConfig: { Mounts: object[] } }).HostConfig
    .Mounts;
  expect(other).not.toHaveProperty("BindOptions");
});
