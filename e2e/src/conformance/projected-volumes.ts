import { expect } from "vitest";
import { configMap, lastLine, outputOf, STAY, secret, valuesOf } from "./pod-helpers.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";
import { SAME_USER, show } from "./volumes.ts";

/** Behaviours 72 to 75: projected and downward volumes, emptyDir, sub-paths of them all. */
export const projectedVolumes: Group = (behaviour) => {
  behaviour(72, {}, async (site) => {
    const name = "projected";
    await site.apply(configMap(name, { "map-data": "of map" }));
    await site.apply(secret(name, { "secret-data": "of secret" }));
    const map = { configMap: { name } };
    const hidden = {
      secret: { name, items: [{ key: "secret-data", path: "deep/er", mode: 0o400 }] },
    };
    const downward = {
      downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] },
    };
    const token = { serviceAccountToken: { path: "token", expirationSeconds: 600 } };
    const none = { configMap: { name: "not-there", optional: true } };
    const values = await valuesOf(site, name, {
      command: `${show("/map/map-data", "/secret/deep/er", "/downward/name")}
        ${show("/all/map-data", "/all/deep/er", "/all/name")}
        echo "token=$(stat -Lc %a /all/token) $(cut -c1-2 /all/token)"; echo "all=$(ls /all | tr '\\n' ' ')"`,
      spec: {
        volumes: Object.entries({
          map: { sources: [map] },
          secret: { sources: [hidden] },
          downward: { sources: [downward] },
          all: { defaultMode: 0o440, sources: [map, hidden, downward, token, none] },
        }).map(([volume, projected]) => ({ name: volume, projected })),
      },
      container: {
        volumeMounts: ["map", "secret", "downward", "all"].map((volume) => ({
          name: volume,
          mountPath: `/${volume}`,
        })),
      },
    });
    expect(values).toEqual({
      "/map/map-data": "644 of map",
      "/secret/deep/er": "400 of secret",
      "/downward/name": `644 ${name}`,
      "/all/map-data": "440 of map",
      "/all/deep/er": "400 of secret",
      "/all/name": `440 ${name}`,
      token: "440 ey",
      all: "deep map-data name token ",
    });
    await site.kubectl.run(["delete", `configmap/${name}`, `secret/${name}`]);
  });

  behaviour(73, {}, async (site) => {
    const name = "downward-files";
    const amount = (path: string, resource: string, divisor = "1", containerName = "main") => ({
      path,
      resourceFieldRef: { containerName, resource, divisor },
    });
    const items = [
      { path: "name", fieldRef: { fieldPath: "metadata.name" }, mode: 0o400 },
      { path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } },
      { path: "uid", fieldRef: { fieldPath: "metadata.uid" } },
      amount("cpu-limit", "limits.cpu"),
      amount("memory-limit", "limits.memory", "1Mi"),
      amount("cpu-request", "requests.cpu", "1m"),
      amount("memory-request", "requests.memory"),
    ];
    const command = `cd /files; for file in *; do echo "$file=$(stat -Lc %a $file) $(cat $file)"; done`;
    const files = (own: object[]) => ({
      spec: { volumes: [{ name: "files", downwardAPI: { defaultMode: 0o444, items: own } }] },
      volumeMounts: [{ name: "files", mountPath: "/files" }],
    });
    const { spec, volumeMounts } = files(items);
    const resources = {
      requests: { cpu: "10m", memory: "16Mi" },
      limits: { cpu: "1250m", memory: "64Mi" },
    };
    await site.createPod(name, {
      command: `${command}; ${STAY}`,
      spec,
      container: { resources, volumeMounts },
    });
    const pod = await site.podReady(name);
    await lastLine(site, name, `uid=444 ${pod.metadata?.uid}`);
    expect((await site.logs(name)).trim().split("\n")).toEqual([
      "cpu-limit=444 2",
      "cpu-request=444 10",
      "memory-limit=444 64",
      `memory-request=444 ${16 * 2 ** 20}`,
      `name=400 ${name}`,
      "namespace=444 default",
      `uid=444 ${pod.metadata?.uid}`,
    ]);
    await site.delete(name);

    const usual = files([amount("cpu-limit", "limits.cpu")]);
    const container = { volumeMounts };
    const bare = await valuesOf(site, "downward-usual", { command, spec: usual.spec, container });
    const jsonpath = ["-o", "jsonpath={.status.allocatable.cpu}"];
    const cpu = await site.kubectl.run(["get", "node", site.system.nodeName, ...jsonpath]);
    expect(bare["cpu-limit"]).toBe(`444 ${cpu}`);
  });

  behaviour(73, {}, async (site) => {
    const name = "downward-changes";
    const item = (path: string) => ({ path, fieldRef: { fieldPath: `metadata.${path}` } });
    await site.createPod(name, {
      command: `while :; do echo "$(cat /files/labels) $(grep '^note=' /files/annotations)" | tr '\\n' ' '; echo; sleep 0.2; done`,
      spec: {
        volumes: [{ name: "files", downwardAPI: { items: [item("labels"), item("annotations")] } }],
      },
      container: { volumeMounts: [{ name: "files", mountPath: "/files" }] },
    });
    await site.podReady(name);
    await lastLine(site, name, `app="${name}"`);
    await site.kubectl.run(["label", "pod", name, "key=value", "app=other", "--overwrite"]);
    await site.kubectl.run(["annotate", "pod", name, 'note=a "word"']);
    await lastLine(site, name, String.raw`app="other" key="value" note="a \"word\""`);
    await site.delete(name);
  });

  behaviour(74, { note: SAME_USER }, async (site) => {
    const user = site.plugin === "docker" ? { securityContext: { runAsUser: 1000 } } : {};
    const volumeMounts = [{ name: "shared", mountPath: "/shared" }];
    const busybox = { image: "busybox:latest", imagePullPolicy: "IfNotPresent", volumeMounts };
    const write = `echo "dir=$(stat -c %a /shared)"; for mode in 644 666 777; do echo $mode > /shared/$mode; chmod $mode /shared/$mode; done; touch /shared/done; ${STAY}`;
    const read = `until [ -e /shared/done ]; do sleep 0.1; done; cd /shared; for mode in 644 666 777; do echo "$mode=$(stat -c %a $mode) $(cat $mode)"; done`;
    const name = "empty-dir";
    await site.createPod(name, {
      spec: {
        volumes: [{ name: "shared", emptyDir: {} }],
        containers: [
          { name: "write", ...busybox, command: ["sh", "-c", write], ...user },
          { name: "read", ...busybox, command: ["sh", "-c", read] },
        ],
      },
    });
    await site.podWhen(name, "was read", ({ status }) =>
      status?.containerStatuses?.some(({ state }) => state?.terminated?.exitCode === 0),
    );
    expect(await site.logs(name, "-c", "write")).toBe("dir=777\n");
    expect(await site.logs(name, "-c", "read")).toBe("644=644 644\n666=666 666\n777=777 777\n");
    await site.delete(name);
  });

  behaviour(
    74,
    {
      notApplicable: {
        process:
          "Volumes in memory are directories on disk with the process plugin, which sets no limits.",
        slurm: SLURM_LIMITS.memory,
      },
    },
    async (site) => {
      const volumeMounts = [{ name: "memory", mountPath: "/memory" }];
      for (const runAsUser of [0, 1000]) {
        const output = await outputOf(site, `empty-dir-memory-${runAsUser}`, {
          command:
            "grep ' /memory tmpfs ' /proc/mounts | wc -l; stat -c %a /memory; echo x > /memory/x; cat /memory/x",
          spec: { volumes: [{ name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }] },
          container: { volumeMounts, securityContext: { runAsUser } },
        });
        expect(output).toBe("1\n777\nx\n");
      }
    },
  );

  behaviour(75, {}, async (site) => {
    const name = "sub-paths";
    await site.apply(configMap(name, { file: "of map" }));
    await site.apply(secret(name, { file: "of secret" }));
    const dir = [{ key: "file", path: "dir/file" }];
    const field = { path: "dir/name", fieldRef: { fieldPath: "metadata.name" } };
    const sources = {
      map: { configMap: { name } },
      secret: { secret: { secretName: name, items: dir } },
      projected: { projected: { sources: [{ configMap: { name, items: dir } }] } },
      downward: { downwardAPI: { items: [field] } },
    };
    const output = await outputOf(site, name, {
      command:
        "for file in /etc/of-map /secret/file /of-projected /downward/name; do echo $(cat $file); done",
      spec: {
        volumes: Object.entries(sources).map(([volume, source]) => ({ name: volume, ...source })),
      },
      container: {
        volumeMounts: [
          { name: "map", mountPath: "/etc/of-map", subPath: "file" },
          { name: "secret", mountPath: "/secret", subPath: "dir" },
          { name: "projected", mountPath: "/of-projected", subPath: "dir/file" },
          { name: "downward", mountPath: "/downward", subPath: "dir" },
        ],
      },
    });
    expect(output).toBe(`of map\nof secret\nof map\n${name}\n`);
    await site.kubectl.run(["delete", `configmap/${name}`, `secret/${name}`]);
  });
};
