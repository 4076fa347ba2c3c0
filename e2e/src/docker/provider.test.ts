import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ProviderFixture } from "./provider-fixture.ts";

const LONG = "while true; do usleep 50000; done";
const sh = (script: string, name = "main") => ({
  name,
  image: BUSYBOX,
  imagePullPolicy: "IfNotPresent" as const,
  command: ["sh", "-c", script],
});

describeEngines("pods on a real engine", (engine) => {
  let fixture: ProviderFixture;
  beforeAll(async () => {
    fixture = await ProviderFixture.open(engine.host);
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it("runs hello to its end, and keeps its log until the pod is deleted", async () => {
    const data = await fixture.create({
      containers: [sh("echo hello; echo done > /dev/termination-log")],
    });
    expect(await fixture.ended(data)).toMatchObject({
      name: "main",
      image: BUSYBOX,
      restartCount: 0,
      containerID: expect.stringMatching(/^docker:\/\/[0-9a-f]{64}$/) as string,
      state: { terminated: { exitCode: 0, reason: "Completed", message: "done\n" } },
    });
    expect(await fixture.log(data)).toBe("hello\n");
    const reasons = fixture.events
      .filter(({ UID }) => UID === data.pod.metadata?.uid)
      .map(({ reason }) => reason);
    expect(reasons).toEqual(["Pulled", "Created", "Started"]);
    await fixture.remove(data);
  });

  it("tells the exit code", async () => {
    const data = await fixture.create({ containers: [sh("exit 42")] });
    const { state } = await fixture.ended(data);
    expect(state?.terminated).toMatchObject({ exitCode: 42, reason: "Error" });
  });

  it("tells that memory ran out", async () => {
    const container = {
      ...sh("x=a; while true; do x=$x$x$x$x; done"),
      resources: { limits: { memory: "16Mi" } },
    };
    const data = await fixture.create({ containers: [container] });
    const { state } = await fixture.ended(data);
    expect(state?.terminated).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
  });

  it("restarts what fails, and keeps the log of the attempt before", async () => {
    const data = await fixture.create({
      restartPolicy: "OnFailure",
      containers: [
        {
          ...sh("if [ -e /data/x ]; then echo second; else touch /data/x; echo first; exit 1; fi"),
          volumeMounts: [{ name: "data", mountPath: "/data" }],
        },
      ],
      volumes: [{ name: "data", emptyDir: {} }],
    });
    const ended = await waitUntil("the second attempt has ended", async () => {
      const found = await fixture.container(data, "main");
      return found?.restartCount === 1 && found.state?.terminated ? found : undefined;
    });
    expect(ended.state?.terminated?.exitCode).toBe(0);
    expect(ended.lastState?.terminated?.exitCode).toBe(1);
    expect(await fixture.log(data)).toBe("second\n");
    expect(await fixture.log(data, "main", true)).toBe("first\n");
  });

  it("runs init containers first, one after the other, on shared volumes", async () => {
    const volumeMounts = [{ name: "data", mountPath: "/data" }];
    const write = (name: string) => ({ ...sh(`echo ${name} >> /data/f`, name), volumeMounts });
    const data = await fixture.create({
      initContainers: [write("one"), write("two")],
      containers: [{ ...sh("cat /data/f"), volumeMounts }],
      volumes: [{ name: "data", emptyDir: {} }],
    });
    await fixture.ended(data);
    expect(await fixture.log(data)).toBe("one\ntwo\n");
  });

  it("gives ConfigMaps and Secrets as files, to the byte", async () => {
    const bytes = Buffer.from([0, 1, 2, 255, 10, 13]);
    const data = await fixture.create(
      {
        containers: [
          {
            ...sh(
              "cat /config/text; od -An -tx1 /config/bytes /secret/key | tr -d ' \\n'; ls -l /secret/..data/key | cut -c1-10",
            ),
            volumeMounts: [
              { name: "config", mountPath: "/config" },
              { name: "secret", mountPath: "/secret", readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: "config", configMap: { name: "c" } },
          { name: "secret", secret: { secretName: "s", defaultMode: 0o400 } },
        ],
      },
      {
        configMaps: [
          {
            metadata: { name: "c" },
            data: { text: "$HOME `x` 'y'\n" },
            binaryData: { bytes: bytes.toString("base64") },
          },
        ],
        secrets: [{ metadata: { name: "s" }, data: { key: bytes.toString("base64") } }],
      },
    );
    expect((await fixture.ended(data)).state?.terminated?.exitCode).toBe(0);
    const hex = bytes.toString("hex");
    expect(await fixture.log(data)).toBe(`$HOME \`x\` 'y'\n${hex}${hex}-r--------\n`);
  });

  it("gives a pod one network, and tells containers its address", async () => {
    const data = await fixture.create({
      containers: [
        sh(
          "httpd -p 127.0.0.1:8080 -h /etc; while [ ! -e /tmp/end ]; do usleep 50000; done",
          "server",
        ),
        {
          ...sh(
            "until wget -q -O /dev/null http://127.0.0.1:8080/passwd; do usleep 50000; done; echo $IP $NODE; hostname -i",
          ),
          env: [
            { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
            { name: "NODE", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
          ],
        },
      ],
    });
    await fixture.ended(data);
    const [podIP = "none"] = (await fixture.status(data))?.extension?.podIPs ?? [];
    expect(await fixture.log(data)).toBe(`${podIP} 192.0.2.1\n${podIP}\n`);
    await fixture.remove(data, 0);
  });

  it("shares an emptyDir in memory between containers", async () => {
    const volumeMounts = [{ name: "memory", mountPath: "/memory" }];
    const data = await fixture.create({
      initContainers: [{ ...sh("echo kept > /memory/f", "init"), volumeMounts }],
      containers: [
        { ...sh("cat /memory/f; grep -c '^tmpfs /memory ' /proc/mounts"), volumeMounts },
      ],
      volumes: [{ name: "memory", emptyDir: { medium: "Memory" } }],
    });
    await fixture.ended(data);
    expect(await fixture.log(data)).toBe("kept\n1\n");
  });

  it("lets a container of any user write its termination message", async () => {
    const data = await fixture.create({
      securityContext: { runAsUser: 1234 },
      containers: [sh("echo why > /dev/termination-log; exit 3")],
    });
    const { state } = await fixture.ended(data);
    expect(state?.terminated).toMatchObject({ exitCode: 3, message: "why\n" });
  });

  it("finds the last words of a container where the pod says, else in its log", async () => {
    const own = { ...sh("echo own > /tmp/why; exit 3"), terminationMessagePath: "/tmp/why" };
    const fallback = {
      ...sh("echo in the log; exit 4", "fallback"),
      terminationMessagePolicy: "FallbackToLogsOnError",
    };
    const data = await fixture.create({ containers: [own, fallback] });
    expect((await fixture.ended(data)).state?.terminated?.message).toBe("own\n");
    const { state } = await fixture.ended(data, "fallback");
    expect(state?.terminated?.message).toBe("in the log\n");
  });

  it("runs exec probes and hooks in the container", async () => {
    const data = await fixture.create({
      containers: [
        {
          ...sh(LONG),
          lifecycle: { postStart: { exec: { command: ["touch", "/started"] } } },
          readinessProbe: { exec: { command: ["test", "-e", "/started"] }, periodSeconds: 1 },
        },
        {
          ...sh("httpd -f -p 8080 -h /etc", "web"),
          readinessProbe: { httpGet: { path: "/passwd", port: 8080 }, periodSeconds: 1 },
        },
      ],
    });
    await waitUntil("both are ready", async () => {
      const containers = (await fixture.status(data))?.containers ?? [];
      return containers.length === 2 && containers.every(({ ready }) => ready);
    });
    await fixture.remove(data, 0);
  });

  it("stops a pod as its containers want, and leaves nothing behind", async () => {
    const data = await fixture.create({
      containers: [
        {
          ...sh(`trap 'echo TERM > /shared/signal; exit 0' TERM; echo ready; ${LONG}`),
          volumeMounts: [{ name: "shared", mountPath: "/shared" }],
        },
      ],
      volumes: [{ name: "shared", hostPath: { path: fixture.folder } }],
    });
    await fixture.running(data);
    await waitUntil("the trap is set", async () => (await fixture.log(data)) === "ready\n");
    await fixture.remove(data, 60);
    expect(await readFile(`${fixture.folder}/signal`, "utf8")).toBe("TERM\n");
    expect(fixture.gone).toContain(data.pod.metadata?.uid);
  });

  it("kills what does not stop within the grace", async () => {
    const data = await fixture.create({ containers: [sh(`trap '' TERM; echo ready; ${LONG}`)] });
    await fixture.running(data);
    await waitUntil("the trap is set", async () => (await fixture.log(data)) === "ready\n");
    await fixture.remove(data, 1);
  });

  it("tells why an image cannot be had, in the engine's words", async () => {
    const image = "127.0.0.1:1/no/image:here";
    const data = await fixture.create({
      containers: [{ ...sh("true"), image, imagePullPolicy: "Always" }],
    });
    const waiting = await waitUntil("the container waits for its image", async () => {
      const found = (await fixture.container(data, "main"))?.state?.waiting;
      return found?.message?.includes("connection refused") ? found : undefined;
    });
    expect(waiting.reason).toMatch(/^(RegistryUnavailable|ErrImagePull|ImagePullBackOff)$/);
    const never = await fixture.create({
      containers: [{ ...sh("true"), image, imagePullPolicy: "Never" }],
    });
    await waitUntil("the other says that it may not pull", async () => {
      const found = (await fixture.container(never, "main"))?.state?.waiting;
      return found?.reason === "ErrImageNeverPull";
    });
    await fixture.remove(data, 0);
    await fixture.remove(never, 0);
  });

  it("tells that a command does not exist", async () => {
    const data = await fixture.create({ containers: [{ ...sh(""), command: ["/no/such"] }] });
    const { state } = await fixture.ended(data);
    expect(state?.terminated).toMatchObject({
      exitCode: 127,
      message: expect.stringContaining("/no/such") as string,
    });
  });

  it("tells its capacity", async () => {
    const { resources } = (await fixture.provider.ping?.(fixture.signal)) ?? {};
    expect(Number(resources?.cpu)).toBeGreaterThan(0);
    expect(Number(resources?.memory)).toBeGreaterThan(1e8);
    expect(resources?.pods).toBe("110");
    // Of the disk that the engine is on, which is this machine's.
    expect(Number(resources?.["ephemeral-storage"])).toBeGreaterThan(1e8);
  });
});
