import { join } from "node:path";
import { startVirtualNode } from "@interlink/node";
import type { Event, Pod } from "kubernetes-types/core/v1.js";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PodOptions, podManifest } from "./harness/manifest.ts";
import { System } from "./harness/system.ts";
import { describeClusters } from "./systems/describe-system.ts";
import { waitUntil } from "./systems/wait-until.ts";

/** Prints what the command prints, each time that it is something new. */
const watching = (command: string) =>
  `last=; while true; do now="$(${command})"; if [ "$now" != "$last" ]; then echo "[$now]"; last="$now"; fi; sleep 0.1; done`;

describeClusters("what a running pod names", (target) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start({ plugin: { name: "process" }, target });
  });
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  });

  const kubectl = (...args: string[]) => system.kubectl.run(args);
  const apply = (name: string, options: PodOptions = {}) =>
    system.kubectl.run(["apply", "-f", "-"], { input: podManifest(name, options) });
  const prints = (name: string, text: string | RegExp) =>
    waitUntil(`pod ${name} prints ${text}`, async () => {
      const log = await kubectl("logs", name);
      return (typeof text === "string" ? log.includes(text) : text.test(log)) ? log : undefined;
    });
  const events = async (name: string) => {
    const about = `involvedObject.name=${name}`;
    const { items } = await system.kubectl.json<{ items: Event[] }>([
      "get",
      "events",
      "--field-selector",
      about,
    ]);
    return items.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  };
  const told = (name: string, event: RegExp) =>
    waitUntil(`an event of ${name} says ${event}`, async () =>
      (await events(name)).find((one) => event.test(one)),
    );
  const remove = (...names: string[]) => kubectl("delete", "pod", ...names, "--timeout=60s");
  const main = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];

  test("files of ConfigMaps, Secrets and the downward API change under it; subPath mounts do not", async () => {
    await kubectl("create", "configmap", "conf", "--from-literal=key=conf-1");
    await kubectl("create", "secret", "generic", "cred", "--from-literal=key=cred-1");
    await apply("live", {
      command: watching("cat /conf/key /cred/key /part /down/app /all/key 2>&1 | tr '\\n' ' '"),
      container: {
        volumeMounts: [
          { name: "conf", mountPath: "/conf" },
          { name: "cred", mountPath: "/cred" },
          { name: "conf", mountPath: "/part", subPath: "key" },
          { name: "down", mountPath: "/down" },
          { name: "all", mountPath: "/all" },
        ],
      },
      spec: {
        volumes: [
          { name: "conf", configMap: { name: "conf" } },
          { name: "cred", secret: { secretName: "cred" } },
          {
            name: "down",
            downwardAPI: {
              items: [{ path: "app", fieldRef: { fieldPath: "metadata.labels['app']" } }],
            },
          },
          { name: "all", projected: { sources: [{ configMap: { name: "conf" } }] } },
        ],
      },
    });
    await prints("live", "[conf-1cred-1conf-1liveconf-1]");
    await kubectl("patch", "configmap", "conf", "-p", '{"data":{"key":"conf-2"}}');
    await prints("live", "[conf-2cred-1conf-1liveconf-2]");
    await kubectl("patch", "secret", "cred", "-p", '{"stringData":{"key":"cred-2"}}');
    await prints("live", "[conf-2cred-2conf-1liveconf-2]");
    await kubectl("label", "pod", "live", "app=changed", "--overwrite");
    await prints("live", "[conf-2cred-2conf-1changedconf-2]");
    expect(main(await system.pod("live"))?.restartCount).toBe(0);
    await remove("live");
  });

  test("an optional ConfigMap may come, and go again", async () => {
    await apply("optional", {
      command: watching("ls /conf"),
      container: { volumeMounts: [{ name: "v", mountPath: "/conf" }] },
      spec: { volumes: [{ name: "v", configMap: { name: "maybe", optional: true } }] },
    });
    await system.podInPhase("optional", "Running");
    await kubectl("create", "configmap", "maybe", "--from-literal=here=1");
    await prints("optional", "[here]");
    await kubectl("delete", "configmap", "maybe");
    await prints("optional", "[here]\n[]");
    await remove("optional");
  });

  test("a change while the node is away arrives when it is back, and one that it has told is not told again", async () => {
    await kubectl("create", "configmap", "away", "--from-literal=key=1");
    await apply("patient", {
      command: watching("cat /conf/key"),
      container: { volumeMounts: [{ name: "v", mountPath: "/conf" }] },
      spec: { volumes: [{ name: "v", configMap: { name: "away" } }] },
    });
    await prints("patient", "[1]");
    await kubectl("patch", "configmap", "away", "-p", '{"data":{"key":"2"}}');
    await prints("patient", "[2]");
    await system.kill9("node");
    await kubectl("patch", "configmap", "away", "-p", '{"data":{"key":"3"}}');
    await system.kill9("plugin");
    await system.launch("plugin");
    await system.launch("node");
    expect(await prints("patient", "[3]")).toBe("[1]\n[2]\n[3]\n");
    await remove("patient");
  });

  test("a container that starts again gets the environment of now", async () => {
    await kubectl("create", "configmap", "env", "--from-literal=WORD=old");
    await apply("again", {
      command: 'echo "word $WORD"; while ! [ -e /go/now ]; do sleep 0.1; done; exit 1',
      container: {
        envFrom: [{ configMapRef: { name: "env" } }],
        volumeMounts: [{ name: "go", mountPath: "/go" }],
      },
      spec: {
        restartPolicy: "OnFailure",
        volumes: [{ name: "go", configMap: { name: "go", optional: true } }],
      },
    });
    await prints("again", "word old");
    await kubectl("patch", "configmap", "env", "-p", '{"data":{"WORD":"new"}}');
    // In the same update, or a later one.
    await kubectl("create", "configmap", "go", "--from-literal=now=1");
    await prints("again", "word new");
    await remove("again");
  });

  test("what is missing holds it up, with a kubelet's words, and it starts when it is there", async () => {
    await apply("held", {
      command: "cat /conf/wanted",
      container: { volumeMounts: [{ name: "v", mountPath: "/conf" }] },
      spec: {
        volumes: [
          { name: "v", configMap: { name: "late", items: [{ key: "k", path: "wanted" }] } },
        ],
      },
    });
    await told(
      "held",
      /^Warning FailedMount MountVolume\.SetUp failed for volume "v" : configmap "late" not found/,
    );
    const waiting = await system.pod("held");
    expect(waiting?.status?.phase).toBe("Pending");
    expect(main(waiting)?.state?.waiting?.reason).toBe("ContainerCreating");
    await kubectl("create", "configmap", "late", "--from-literal=other=1");
    await told("held", /configmap references non-existent config key: k/);
    expect((await system.pod("held"))?.status?.phase).toBe("Pending");
    await kubectl("patch", "configmap", "late", "-p", '{"data":{"k":"at last"}}');
    await system.podInPhase("held", "Succeeded");
    expect(await kubectl("logs", "held")).toBe("at last");
    await remove("held");
  });

  test("a subPath that cannot be expanded holds it up until an annotation makes it possible", async () => {
    await apply("expands", {
      command: "ls -d /work; sleep 1000",
      container: {
        env: [
          { name: "PART", valueFrom: { fieldRef: { fieldPath: "metadata.annotations['part']" } } },
        ],
        volumeMounts: [{ name: "v", mountPath: "/work", subPathExpr: "$(PART)" }],
      },
      spec: { volumes: [{ name: "v", emptyDir: {} }] },
    });
    await told("expands", /^Warning Failed Error: missing value for PART/);
    const waiting = main(await system.pod("expands"))?.state?.waiting;
    expect(waiting?.reason).toBe("CreateContainerConfigError");
    await kubectl("annotate", "pod", "expands", "part=mine");
    await system.podInPhase("expands", "Running");
    await remove("expands");
  });

  test("one projected volume holds all that may be projected, with the modes that are asked for", async () => {
    await kubectl("create", "configmap", "pc", "--from-literal=c=conf");
    await kubectl("create", "secret", "generic", "ps", "--from-literal=s=cred");
    await apply("projected", {
      command:
        "cd /all; cat deep/c s name cpu; echo; for f in deep/c s name cpu token; do stat -L -c '%n %a' $f; done; ls",
      container: {
        resources: { limits: { cpu: "1500m" } },
        volumeMounts: [{ name: "all", mountPath: "/all" }],
      },
      spec: {
        volumes: [
          {
            name: "all",
            projected: {
              defaultMode: 0o440,
              sources: [
                { configMap: { name: "pc", items: [{ key: "c", path: "deep/c", mode: 0o600 }] } },
                { secret: { name: "ps" } },
                {
                  downwardAPI: {
                    items: [
                      { path: "name", fieldRef: { fieldPath: "metadata.name" } },
                      {
                        path: "cpu",
                        resourceFieldRef: {
                          containerName: "main",
                          resource: "limits.cpu",
                          divisor: "1m",
                        },
                      },
                    ],
                  },
                },
                { serviceAccountToken: { path: "token", expirationSeconds: 600 } },
              ],
            },
          },
        ],
      },
    });
    await system.podInPhase("projected", "Succeeded");
    expect(await kubectl("logs", "projected")).toBe(
      "confcredprojected1500\ndeep/c 600\ns 440\nname 440\ncpu 440\ntoken 440\ncpu\ndeep\nname\ns\ntoken\n",
    );
    await remove("projected");
  });

  test("what the site cannot serve fails it at once, with what to do", async () => {
    const here = { nodeName: system.nodeName };
    await apply("claims", {
      container: { volumeMounts: [{ name: "v", mountPath: "/v" }] },
      spec: { ...here, volumes: [{ name: "v", persistentVolumeClaim: { claimName: "none" } }] },
    });
    await apply("ports", {
      container: { ports: [{ containerPort: 80, hostPort: 8080 }] },
      spec: here,
    });
    const claims = await system.podInPhase("claims", "Failed");
    expect(claims.status?.reason).toBe("RejectedBySite");
    expect(claims.status?.message).toMatch(
      /volume "v" is of the kind persistentVolumeClaim, which the plugin process does not provide\. Use configMap/,
    );
    await told("claims", /^Warning FailedCreate The site refuses the pod: .*persistentVolumeClaim/);
    const ports = await system.podInPhase("ports", "Failed");
    expect(ports.status?.message).toMatch(/hostPort 8080.*leave hostPort out/);
    await remove("claims", "ports");
  });

  test("its token is exchanged in time; each is good for its audience while the pod is there", async () => {
    // A day is long: this node exchanges tokens after a hundredth of their life.
    await system.part("node")[Symbol.asyncDispose]();
    await using _hasty = await startVirtualNode({
      nodeName: system.nodeName,
      kube: { kubeconfigFile: system.cluster.kubeconfigFile },
      site: { address: `unix://${join(system.directory, "server.sock")}` },
      nodeAddress: "127.0.0.1",
      kubelet: { port: 0 },
      intervals: { tokens: { renewAfter: 0.005, jitterMs: 0 } },
      logger: pino({ level: "silent" }),
    });
    await apply("bearer", {
      command: watching("cat /api/token"),
      container: { volumeMounts: [{ name: "api", mountPath: "/api" }] },
      spec: {
        volumes: [
          {
            name: "api",
            projected: {
              sources: [
                {
                  serviceAccountToken: { path: "token", expirationSeconds: 600, audience: "vault" },
                },
              ],
            },
          },
        ],
      },
    });
    const log = await prints("bearer", /\[.*\]\n\[.*\]\n/);
    const [first, second] = log.split("\n").map((line) => line.slice(1, -1));
    expect(second).not.toBe(first);
    const review = async (token = "", audience = "vault") => {
      const spec = { token, audiences: [audience] };
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec };
      const answer = await system.kubectl.run(["create", "-o", "json", "-f", "-"], {
        input: JSON.stringify(body),
      });
      return (JSON.parse(answer) as { status: { authenticated?: boolean; user?: object } }).status;
    };
    const { uid = "" } = (await system.pod("bearer"))?.metadata ?? {};
    for (const token of [first, second]) {
      expect(await review(token)).toMatchObject({
        authenticated: true,
        user: {
          username: "system:serviceaccount:default:default",
          extra: {
            "authentication.kubernetes.io/pod-name": ["bearer"],
            "authentication.kubernetes.io/pod-uid": [uid],
          },
        },
      });
    }
    expect((await review(second, "other")).authenticated).not.toBe(true);
    await remove("bearer");
    // API servers remember for some seconds what they have judged.
    await waitUntil(
      "the token is worth nothing without its pod",
      async () => (await review(second)).authenticated !== true,
    );
  });
});
