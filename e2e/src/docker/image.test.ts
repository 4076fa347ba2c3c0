import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createInterlinkClient, WHOLE_LOG } from "@interlink/protocol";
import { request } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeDocker } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { ComposeSite, whyNoCompose } from "./compose-site.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const TAG = `interlink-e2e:${process.pid}`;
/** What `deploy/node/deployment.yaml` and any careful administrator ask for. */
const HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];

describeDocker("the container image of all parts", ({ host }) => {
  const env = { ...process.env, DOCKER_HOST: host };
  const docker = async (...args: string[]): Promise<string> =>
    (await run("docker", args, { env, timeout: 60_000 })).stdout.trim();

  beforeAll(async () => {
    // Nothing is pulled: its base is this machine's Node.
    const args = ["scripts/run.mjs", "image", "--base", "host", "--tag", TAG];
    const { stdout } = await run(process.execPath, args, { cwd: root, env, timeout: 280_000 });
    expect(stdout).toBe(`${TAG}\n`);
  }, 300_000);
  afterAll(async () => {
    await docker("rmi", "--force", TAG, "interlink-base:host");
  });

  test("runs as nobody in particular, on a read-only file system, without capabilities", async () => {
    expect(await docker("inspect", "--format", "{{.Config.User}}", TAG)).toBe("65532:65532");
    const told = await docker("run", "--rm", "--network=none", ...HARDENED, TAG, "version");
    expect(told).toMatch(/^interlink \d+\.\d+\.\d+ /);
  });

  test("holds what runs, and nothing that builds or tests", async () => {
    const script =
      "console.log(require('fs').readdirSync('/opt/interlink/node_modules/@interlink').join(' '));" +
      "console.log(['typescript','vitest','@interlink/e2e'].filter((name) => " +
      "require('fs').existsSync('/opt/interlink/node_modules/' + name)).join(' '))";
    const args = ["--rm", "--entrypoint=node", "--network=none", ...HARDENED, TAG, "-e", script];
    const [own, unwanted] = (await docker("run", ...args)).split("\n");
    expect(own).toMatch(/\bcli\b.*\bnode\b.*\bserver\b/);
    expect(unwanted ?? "").toBe("");
  });

  test("serves, answers its probe, and ends when it is asked to", async () => {
    const part = ["server", "--plugin", "http://127.0.0.1:9", "--listen", "127.0.0.1:3000"];
    const id = await docker("run", "--detach", ...HARDENED, TAG, ...part);
    try {
      const probe =
        "fetch('http://127.0.0.1:3000/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))";
      await waitUntil("the API server in the image answers", () =>
        docker("exec", id, "node", "-e", probe).then(
          () => true,
          () => false,
        ),
      );
      await docker("stop", "--time=20", id);
      // As the first process of a container it gets SIGTERM only if it listens for it.
      expect(await docker("inspect", "--format", "{{.State.ExitCode}}", id)).toBe("0");
    } finally {
      await docker("rm", "--force", id);
    }
  });

  const noCompose = whyNoCompose();
  const skipped = noCompose === undefined ? "" : ` [skipped: ${noCompose}]`;
  test.skipIf(noCompose !== undefined)(
    `makes a site by docker-compose.yaml that runs pods for who has a token${skipped}`,
    async () => {
      await using site = await ComposeSite.up(TAG, host);
      const { address } = site;
      await using stranger = createInterlinkClient({ address, peer: "server" });
      await using node = createInterlinkClient({
        address,
        peer: "server",
        token: () => ComposeSite.token,
      });
      const pod = {
        metadata: { name: "by-compose", namespace: "default", uid: randomUUID() },
        spec: {
          restartPolicy: "Never",
          containers: [
            {
              name: "main",
              image: BUSYBOX,
              imagePullPolicy: "IfNotPresent",
              command: ["cat", "/etc/settings/motd"],
              volumeMounts: [{ name: "settings", mountPath: "/etc/settings" }],
            },
          ],
          volumes: [{ name: "settings", configMap: { name: "settings" } }],
        },
      };
      const wanted = {
        pod,
        configmaps: [
          { metadata: { name: "settings", namespace: "default" }, data: { motd: "from a map\n" } },
        ],
        secrets: [],
        projectedvolumesmaps: [],
        jobscriptURL: "",
      };
      await waitUntil("the API server answers", async () => {
        const { statusCode, body } = await request(`${address}/healthz`);
        await body.dump();
        return statusCode === 200;
      });
      await expect(stranger.create(wanted)).rejects.toMatchObject({ code: "refused" });
      await node.create(wanted);
      await waitUntil("the pod has ended", async () => {
        const [status] = await node.status([pod]);
        return status?.containers[0]?.state?.terminated?.exitCode === 0;
      });
      const log = await node.logs({
        Namespace: "default",
        PodName: "by-compose",
        PodUID: pod.metadata.uid,
        ContainerName: "main",
        Opts: WHOLE_LOG,
      });
      const chunks: Uint8Array[] = [];
      for await (const chunk of log) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe("from a map\n");
      expect(await docker("ps", "--all", "--format", "{{.Names}} {{.Labels}}")).toContain(
        pod.metadata.uid,
      );
      await node.delete(pod);
      await waitUntil("the engine has nothing of the pod", async () => {
        const all = await docker("ps", "--all", "--format", "{{.Names}} {{.Labels}}");
        return !all.includes(pod.metadata.uid);
      });
    },
  );
});
