import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DockerProviderOptions,
  EngineClient,
  parseDockerHost,
} from "@interlink/plugin-docker";
import type { RetrievedPodData } from "@interlink/protocol";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { DockerDaemon, whyNoDaemon } from "../systems/docker-daemon.ts";
import { BUSYBOX, makeBusyboxImage } from "../systems/images.ts";
import { findProgram } from "../systems/programs.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";
import { listenTls, makeCertificates, reachBySsh } from "./remote-access.ts";

const why = whyNoDaemon();
const title = "an engine that does not see the plugin's files";
const noSshd = findProgram("sshd") === undefined ? " [skipped: no sshd (openssh-server)]" : "";

const main = (script: string, more: object = {}) => ({
  name: "main",
  image: BUSYBOX,
  imagePullPolicy: "IfNotPresent" as const,
  command: ["sh", "-c", script],
  ...more,
});

describe.skipIf(why !== undefined)(why === undefined ? title : `${title} [skipped: ${why}]`, () => {
  let folder: string;
  let daemon: DockerDaemon;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "interlink-elsewhere-"));
    mkdirSync(join(folder, "here"));
    daemon = new DockerDaemon(join(folder, "engine"), {
      isolated: true,
      hides: join(folder, "here"),
    });
    await daemon.start();
    await using client = new EngineClient(parseDockerHost(daemon.host));
    await makeBusyboxImage(client, BUSYBOX);
  });
  afterAll(async () => {
    await daemon.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(
    host = daemon.host,
    more: Partial<DockerProviderOptions> = {},
  ): Promise<ProviderFixture> {
    const root = mkdtempSync(join(folder, "here", "root-"));
    const fixture = await ProviderFixture.open(host, { network: "none", root, ...more });
    onTestFinished(() => fixture[Symbol.asyncDispose]());
    return fixture;
  }

  const config = (value: string) => ({
    configMaps: [{ metadata: { name: "conf" }, data: { key: value } }],
  });

  async function runsWithVolumes(fixture: ProviderFixture): Promise<void> {
    const long = "n".repeat(150);
    const shared = { name: "shared", mountPath: "/shared" };
    const data = await fixture.create(
      {
        hostAliases: [{ ip: "192.0.2.7", hostnames: ["alias.test"] }],
        initContainers: [
          {
            ...main("echo from init > /shared/f; chmod 0750 /shared"),
            name: "init",
            volumeMounts: [shared],
          },
        ],
        containers: [
          main(
            `cat /conf/key /part /secret/${long} /shared/f; stat -Lc %a /shared /secret/${long}; ` +
              "ls -d /sub; grep -c alias.test /etc/hosts; echo said > /dev/termination-log; exit 3",
            {
              volumeMounts: [
                { name: "conf", mountPath: "/conf" },
                { name: "conf", mountPath: "/part", subPath: "key" },
                { name: "secret", mountPath: "/secret" },
                { name: "own", mountPath: "/sub", subPath: "a/b" },
                shared,
              ],
            },
          ),
        ],
        volumes: [
          { name: "conf", configMap: { name: "conf" } },
          { name: "secret", secret: { secretName: "s", defaultMode: 0o400 } },
          { name: "own", emptyDir: {} },
          { name: "shared", emptyDir: {} },
        ],
      },
      {
        ...config("value\n"),
        secrets: [
          { metadata: { name: "s" }, data: { [long]: Buffer.from("secret\n").toString("base64") } },
        ],
      },
    );
    const ended = await fixture.ended(data);
    expect(await fixture.log(data)).toBe("value\nvalue\nsecret\nfrom init\n750\n400\n/sub\n1\n");
    expect(ended.state?.terminated).toMatchObject({ exitCode: 3, message: "said\n" });
    await fixture.remove(data, 0);
    const filters = { label: [`interlink.plugin=${fixture.plugin}`] };
    const request = {
      method: "GET",
      query: { all: true, filters },
      signal: fixture.signal,
    } as const;
    expect(await fixture.engine.json({ ...request, path: "/containers/json" })).toEqual([]);
    expect(await fixture.engine.json({ ...request, path: "/volumes" })).toMatchObject({
      Volumes: [],
    });
  }

  it("runs pods with all their volumes, tells what they say, and leaves nothing", async () => {
    await runsWithVolumes(await open());
  });

  it.skipIf(noSshd !== "")(`does so over ssh${noSshd}`, async () => {
    const home = mkdtempSync(join(folder, "ssh-"));
    await reachBySsh(home, daemon.host);
    await runsWithVolumes(await open("ssh://engine"));
  });

  it("does so over TCP with TLS", async () => {
    const certificates = await makeCertificates(mkdtempSync(join(folder, "tls-")));
    const host = `tcp://127.0.0.1:${await listenTls(certificates, daemon.host)}`;
    process.env["DOCKER_TLS_VERIFY"] = "1";
    process.env["DOCKER_CERT_PATH"] = certificates;
    onTestFinished(() => {
      delete process.env["DOCKER_TLS_VERIFY"];
      delete process.env["DOCKER_CERT_PATH"];
    });
    await runsWithVolumes(await open(host));
  });

  it("shows a changed ConfigMap to the running pod, also in a new life of the plugin", async () => {
    const fixture = await open();
    const data = fixture.data(
      {
        terminationGracePeriodSeconds: 1,
        containers: [
          main(
            'last=; while true; do now=$(cat /conf/key 2>/dev/null); [ -z "$now" ] || [ "$now" = "$last" ] || echo "$now"; last=${now:-$last}; usleep 50000; done',
            { volumeMounts: [{ name: "conf", mountPath: "/conf" }] },
          ),
        ],
        volumes: [{ name: "conf", configMap: { name: "conf" } }],
      },
      config("one"),
    );
    const withValue = (value: string): RetrievedPodData => ({
      ...data,
      container: data.container.map((one) => ({ ...one, ...config(value) })),
    });
    const prints = (text: string) =>
      waitUntil(`it prints ${text}`, async () => (await fixture.log(data)) === text);
    await fixture.provider.create(data, fixture.signal);
    await prints("one\n");
    await fixture.provider.update?.(withValue("two"), fixture.signal);
    await prints("one\ntwo\n");
    await fixture.stop();
    await fixture.start();
    await fixture.provider.update?.(withValue("three"), fixture.signal);
    await prints("one\ntwo\nthree\n");
    expect((await fixture.container(data, "main"))?.restartCount).toBe(0);
  });

  it("restarts a container on the files that it left", async () => {
    const fixture = await open();
    const data = await fixture.create({
      restartPolicy: "OnFailure",
      containers: [
        main(
          "if [ -e /data/x ]; then echo second; else touch /data/x; chmod 0711 /data; exit 1; fi; stat -c %a /data",
          {
            volumeMounts: [{ name: "data", mountPath: "/data" }],
          },
        ),
      ],
      volumes: [{ name: "data", emptyDir: {} }],
    });
    await fixture.containerWhere(
      data,
      "main",
      ({ restartCount, state }) => restartCount === 1 && state?.terminated !== undefined,
    );
    expect(await fixture.log(data)).toBe("second\n711\n");
  });

  it("asks a pod by the network without a route to it", async () => {
    const fixture = await open();
    const port = 8080;
    const data = await fixture.create({
      terminationGracePeriodSeconds: 1,
      containers: [
        main(
          "mkdir /www; echo up > /www/up; httpd -p 127.0.0.1:8080 -h /www; while [ ! -e /tmp/down ]; do usleep 50000; done; " +
            "rm /www/up; sleep 60",
          {
            startupProbe: { tcpSocket: { port }, periodSeconds: 1, failureThreshold: 60 },
            readinessProbe: {
              httpGet: { port, path: "/up" },
              periodSeconds: 1,
              failureThreshold: 1,
            },
          },
        ),
      ],
    });
    const is = (isReady: boolean) =>
      fixture.containerWhere(data, "main", ({ ready, state }) => {
        return state?.running !== undefined && ready === isReady;
      });
    expect((await is(true)).restartCount).toBe(0);
    const { uid = "", name = "", namespace = "" } = data.pod.metadata ?? {};
    const streams = await fixture.provider.exec?.(
      {
        Namespace: namespace,
        PodName: name,
        PodUID: uid,
        ContainerName: "main",
        Command: ["touch", "/tmp/down"],
        Stdin: false,
        Stdout: true,
        Stderr: true,
        TTY: false,
      },
      fixture.signal,
    );
    await streams?.ended;
    await is(false);
  });

  it("refuses files of the plugin's machine, and parts of a volume that lead out of it", async () => {
    const site = join(folder, "here", "site");
    mkdirSync(site);
    writeFileSync(join(site, "file"), "here");
    const fixture = await open(daemon.host, { hostPaths: [site] });
    const waits = async (data: RetrievedPodData, words: RegExp): Promise<void> => {
      await fixture.containerWhere(data, "main", ({ state }) =>
        words.test(state?.waiting?.message ?? ""),
      );
      await fixture.remove(data, 0);
    };
    const mount = { name: "v", mountPath: "/v" };
    await waits(
      await fixture.create({
        containers: [main("cat /v/file", { volumeMounts: [mount] })],
        volumes: [{ name: "v", hostPath: { path: site } }],
      }),
      /lies on the machine of the plugin/,
    );
    await waits(
      await fixture.create({
        initContainers: [{ ...main("ln -s /etc /v/link"), name: "init", volumeMounts: [mount] }],
        containers: [main("ls /v", { volumeMounts: [{ ...mount, subPath: "link" }] })],
        volumes: [{ name: "v", emptyDir: {} }],
      }),
      /cannot overwrite non-directory/,
    );
  });
});
