import { expect } from "vitest";
import { withImage } from "./images-of-tests.ts";
import {
  configMap,
  eventsOf,
  lastLine,
  outputOf,
  readValues,
  STAY,
  secret,
  valuesOf,
  waitingFor,
} from "./pod-helpers.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";

const NO_IMAGES = {
  process: "The process plugin has no images.",
  slurm: SLURM_LIMITS.images,
};

const LOOPBACK = {
  process:
    "Pods of the process plugin have the loopback address, which the status of a pod must not show.",
};

/** What an image says, and what a pod says instead of it. */
const ENTRYPOINT = ['ENTRYPOINT ["/bin/echo", "entry"]', 'CMD ["cmd"]'];

/** Behaviours 49 to 66, without subPathExpr (56 to 60): commands, environment, downward API. */
export const environment: Group = (behaviour) => {
  for (const [id, name, says, expected, options] of [
    [49, "image-defaults", {}, "entry cmd\n", { notApplicable: NO_IMAGES }],
    [50, "image-args", { args: ["given"] }, "entry given\n", { notApplicable: NO_IMAGES }],
    [51, "image-command", { command: ["/bin/echo", "given"] }, "given\n", {}],
    [52, "image-both", { command: ["/bin/echo"], args: ["a", "b c"] }, "a b c\n", {}],
  ] as const) {
    behaviour(id, options, async (site) => {
      await withImage(site, name, ENTRYPOINT, async (image) => {
        const container = { command: undefined, ...says };
        expect(await outputOf(site, name, { image, container })).toBe(expected);
      });
    });
  }

  behaviour(53, {}, async (site) => {
    const env = [
      { name: "FOO", value: "foo-value" },
      { name: "BAR", value: "bar-value" },
      { name: "BOTH", value: "$(FOO);;$(BAR);;$$(FOO);;$(NONE)" },
    ];
    const values = await valuesOf(site, "composed", { command: "env", container: { env } });
    expect(values["BOTH"]).toBe("foo-value;;bar-value;;$(FOO);;$(NONE)");
  });

  behaviour(54, {}, async (site) => {
    const container = {
      env: [{ name: "TEST_VAR", value: "test-value" }],
      command: ["sh", "-c"],
      args: ['TEST_VAR=wrong echo "$(TEST_VAR)"'],
    };
    expect(await outputOf(site, "expanded-args", { container })).toBe("test-value\n");
  });

  behaviour(55, {}, async (site) => {
    const container = {
      env: [{ name: "TEST_VAR", value: "test-value" }],
      command: ["sh", "-c", 'TEST_VAR=wrong echo "$(TEST_VAR)"'],
    };
    expect(await outputOf(site, "expanded-command", { container })).toBe("test-value\n");
  });

  for (const [id, kind] of [
    [61, "configMap"],
    [62, "secret"],
  ] as const) {
    behaviour(id, {}, async (site) => {
      const name = `env-${kind.toLowerCase()}`;
      const data = { "data-1": "value-1", data_2: "value 2\nsecond line" };
      const own = kind === "configMap" ? configMap(name, data) : secret(name, data);
      await site.apply(own);
      const values = await valuesOf(site, name, {
        container: {
          // A shell would drop names that are no identifiers of its own.
          command: ["env"],
          env: [
            { name: "ONE", valueFrom: { [`${kind}KeyRef`]: { name, key: "data-1" } } },
            {
              name: "NONE",
              valueFrom: { [`${kind}KeyRef`]: { name, key: "no", optional: true } },
            },
          ],
          envFrom: [
            { [`${kind}Ref`]: { name } },
            { prefix: "p_", [`${kind}Ref`]: { name } },
            { prefix: "p-", [`${kind}Ref`]: { name: "not-there", optional: true } },
          ],
        },
      });
      expect(values).toMatchObject({
        ONE: "value-1",
        "data-1": "value-1",
        data_2: "value 2",
        "p_data-1": "value-1",
        p_data_2: "value 2",
      });
      expect(Object.keys(values)).not.toContain("NONE");
      await site.kubectl.run(["delete", kind.toLowerCase(), name]);
    });
  }

  behaviour(63, {}, async (site) => {
    const ports = [{ port: 8765, targetPort: 8080 }];
    await site.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "fooservice" },
      spec: { selector: { name: "nobody" }, ports },
    });
    const values = await valuesOf(site, "service-env", { command: "env" });
    const address = values["FOOSERVICE_SERVICE_HOST"] ?? "";
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(values).toMatchObject({
      FOOSERVICE_SERVICE_PORT: "8765",
      FOOSERVICE_PORT: `tcp://${address}:8765`,
      FOOSERVICE_PORT_8765_TCP: `tcp://${address}:8765`,
      FOOSERVICE_PORT_8765_TCP_PROTO: "tcp",
      FOOSERVICE_PORT_8765_TCP_PORT: "8765",
      FOOSERVICE_PORT_8765_TCP_ADDR: address,
      KUBERNETES_SERVICE_PORT: "443",
    });
    const spec = { enableServiceLinks: false };
    const without = await valuesOf(site, "service-no-env", { command: "env", spec });
    expect(Object.keys(without).filter((key) => key.startsWith("FOOSERVICE"))).toEqual([]);
    expect(without["KUBERNETES_SERVICE_PORT"]).toBe("443");
    await site.kubectl.run(["delete", "service", "fooservice"]);
  });

  behaviour(64, { note: LOOPBACK }, async (site) => {
    const field = (name: string, fieldPath: string) => ({
      name,
      valueFrom: { fieldRef: { fieldPath } },
    });
    const amount = (name: string, resource: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource, ...(divisor ? { divisor } : {}) } },
    });
    const usual = [
      amount("CPU_LIMIT", "limits.cpu"),
      amount("MEMORY_LIMIT", "limits.memory"),
      amount("CPU_REQUEST", "requests.cpu", "1m"),
      amount("MEMORY_REQUEST", "requests.memory", "1Mi"),
    ];
    await site.createPod("downward-env", {
      command: `env; echo end; ${STAY}`,
      container: {
        resources: {
          requests: { cpu: "10m", memory: "16Mi" },
          limits: { cpu: "1250m", memory: "64Mi" },
        },
        env: [
          field("NAME", "metadata.name"),
          field("NAMESPACE", "metadata.namespace"),
          field("UID_OF_POD", "metadata.uid"),
          field("IP", "status.podIP"),
          field("HOST_IP", "status.hostIP"),
          field("NODE", "spec.nodeName"),
          field("ACCOUNT", "spec.serviceAccountName"),
          field("LABEL", "metadata.labels['app']"),
          ...usual,
        ],
      },
    });
    const { metadata, status } = await site.podReady("downward-env");
    await lastLine(site, "downward-env", "end");
    const values = readValues(await site.logs("downward-env"));
    expect(values).toMatchObject({
      NAME: "downward-env",
      NAMESPACE: "default",
      UID_OF_POD: metadata?.uid,
      IP: site.plugin === "docker" ? status?.podIP : "127.0.0.1",
      HOST_IP: status?.hostIP,
      NODE: site.system.nodeName,
      ACCOUNT: "default",
      LABEL: "downward-env",
      CPU_LIMIT: "2",
      MEMORY_LIMIT: String(64 * 2 ** 20),
      CPU_REQUEST: "10",
      MEMORY_REQUEST: "16",
    });
    await site.delete("downward-env");

    const bare = await valuesOf(site, "downward-none", {
      command: "env",
      container: { env: usual },
    });
    const node = await site.kubectl.json<{ status: { allocatable: Record<string, string> } }>([
      "get",
      "node",
      site.system.nodeName,
    ]);
    expect(bare["CPU_LIMIT"]).toBe(node.status.allocatable["cpu"]);
    expect(Number(bare["MEMORY_LIMIT"])).toBeGreaterThan(64 * 2 ** 20);
    expect(bare).toMatchObject({ CPU_REQUEST: "0", MEMORY_REQUEST: "0" });
  });

  behaviour(
    65,
    {
      notApplicable: {
        process:
          "Containers of the process plugin are on the host's own network and have its /etc/hosts.",
        slurm:
          "Containers of a Slurm job are on their compute node's own network and have its /etc/hosts.",
      },
    },
    async (site) => {
      const spec = {
        hostname: "hosty",
        hostAliases: [{ ip: "123.45.67.89", hostnames: ["foo.test", "bar.test"] }],
      };
      await site.createPod("etc-hosts", { command: `cat /etc/hosts; echo end; ${STAY}`, spec });
      const { status } = await site.podReady("etc-hosts");
      await lastLine(site, "etc-hosts", "end");
      const lines = (await site.logs("etc-hosts")).split("\n");
      expect(lines[0]).toBe("# Kubernetes-managed hosts file.");
      expect(lines).toContain("127.0.0.1\tlocalhost");
      expect(lines).toContain(`${status?.podIP}\thosty`);
      expect(lines).toContain("123.45.67.89\tfoo.test\tbar.test");
      await site.delete("etc-hosts");

      // A pod may bring its own, and one on the node's network has the node's.
      const own = { volumes: [{ name: "own", configMap: { name: "own-hosts" } }] };
      await site.apply(configMap("own-hosts", { hosts: "127.0.0.1 mine\n" }));
      const volumeMounts = [{ name: "own", mountPath: "/etc/hosts", subPath: "hosts" }];
      const command = "cat /etc/hosts";
      const options = { command, spec: own, container: { volumeMounts } };
      expect(await outputOf(site, "own-hosts", options)).toBe("127.0.0.1 mine\n");
      const host = await outputOf(site, "host-hosts", { command, spec: { hostNetwork: true } });
      expect(host).not.toContain("# Kubernetes-managed hosts file.");
      expect(host).toContain("localhost");
      await site.kubectl.run(["delete", "configmap", "own-hosts"]);
    },
  );

  behaviour(
    66,
    { notApplicable: { slurm: SLURM_LIMITS.files }, sinceVersion: "1.34" },
    async (site) => {
      const mount = { volumeMounts: [{ name: "shared", mountPath: "/data" }] };
      const from = (name: string, key: string, optional?: true) => ({
        name,
        valueFrom: {
          fileKeyRef: {
            volumeName: "shared",
            path: "config.env",
            key,
            ...(optional && { optional }),
          },
        },
      });
      const spec = (text: string) => ({
        volumes: [{ name: "shared", emptyDir: {} }],
        initContainers: [
          {
            name: "write",
            image: "busybox:latest",
            imagePullPolicy: "IfNotPresent",
            command: ["sh", "-c", `printf "%s" "${text}" > /data/config.env`],
            ...mount,
          },
        ],
      });
      const values = await valuesOf(site, "env-of-file", {
        command: "env",
        spec: spec("# made\nDATABASE='db one'\nCONFIG_2='value2'\n"),
        container: { env: [from("CONFIG_1", "DATABASE"), from("NONE", "NO", true)] },
      });
      expect(values["CONFIG_1"]).toBe("db one");
      expect(Object.keys(values)).not.toContain("NONE");

      await site.createPod("env-no-key", {
        command: "env",
        spec: spec("OTHER='x'\n"),
        container: { env: [from("CONFIG_1", "DATABASE")] },
      });
      await waitingFor(site, "env-no-key", "CreateContainerConfigError");
      const [message] = await eventsOf(site, "env-no-key", "Failed");
      expect(message).toContain("DATABASE");
      await site.delete("env-no-key");
    },
  );
};
