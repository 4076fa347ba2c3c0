import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RetrievedPodData } from "@interlink/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeSlurmSite } from "../systems/describe-system.ts";
import { asUser, ordinaryUser } from "../systems/ordinary-user.ts";
import { runProgram } from "../systems/programs.ts";
import { waitUntil } from "../systems/wait-until.ts";
import { SiteProvider } from "./site-provider.ts";

describeSlurmSite(
  "a Slurm whose compute nodes share nothing but the job's own directory",
  (shared) => {
    const { conf, user } = shared.slurm;
    let site: SiteProvider;

    beforeAll(async () => {
      site = new SiteProvider({
        conf,
        apptainer: shared.apptainer,
        user,
        settings: { SharedFileSystem: false },
      });
      await site.start();
    });
    afterAll(() => site?.[Symbol.asyncDispose]());

    /** A pod that has a secret in a file, `/secret/key`. */
    const withSecret = (command: string, value: string) =>
      site.pod(command, {
        spec: { volumes: [{ name: "held", secret: { secretName: "held" } }] },
        container: { volumeMounts: [{ name: "held", mountPath: "/secret" }] },
        data: {
          container: [
            {
              name: "main",
              configMaps: [],
              projectedvolumemaps: [],
              secrets: [
                {
                  metadata: { name: "held", namespace: "default" },
                  data: { key: Buffer.from(value).toString("base64") },
                },
              ],
              emptyDirs: [],
            },
          ],
        },
      });
    const create = (data: RetrievedPodData) =>
      site.provider.create(data, new AbortController().signal);

    test("takes secrets along where nobody else sees them, and leaves nothing", async () => {
      const secret = `secret-${randomUUID()}`;
      const data = withSecret("wc -c </secret/key; sleep 1000", secret);
      await create(data);
      await site.until(data, "running");
      await waitUntil("it has read it", async () => (await site.log(data)).trim() !== "");
      expect((await site.log(data)).trim()).toBe(String(secret.length));
      expect(processesThatShow(secret)).toEqual([]);

      const job = await site.job(data);
      const other = await ordinaryUser("interlink-e2e-2");
      const env = { SLURM_CONF: conf };
      const asOther = async (...words: string[]): Promise<string> => {
        const [program = "", ...args] = asUser(other, env, words);
        return (await runProgram(program, args)).toString();
      };
      expect(await asOther("scontrol", "show", "job", job)).not.toContain(secret);
      const written = ["scontrol", "write", "batch_script", job, "-"];
      expect(await asOther(...written).catch(() => "")).toBe("");
      const directory = join(site.root, "pods", data.pod.metadata?.uid ?? "");
      await expect(asOther("cat", join(directory, "job.sh"))).rejects.toThrow("Permission denied");

      await site.delete(data);
      expect(existsSync(directory)).toBe(false);
      expect(await filesLeft(secret)).toEqual([]);
    });

    test("runs a pod in the network that its mesh makes, and ends it there in order", async () => {
      await site.close();
      // Options that would have a shell read the variables.
      await site.start({
        AllowShellAnnotations: true,
        SingularityDefaultOptions: ["--containall"],
      });
      const value = '$(id) `id` "it\'s"';
      const mesh = '#!/bin/bash\nexec unshare --user --map-root-user --net -- "$@"\n';
      const networked = await site.create(
        "trap 'exit 3' TERM; grep -c : /proc/net/dev; echo \"$VALUE\"; while :; do sleep 0.1; done",
        {
          spec: { terminationGracePeriodSeconds: 60 },
          container: { env: [{ name: "VALUE", value }] },
          annotations: {
            "slurm-job.vk.io/pre-exec": `cat <<'EOFMESH' > $TMPDIR/mesh.sh\n${mesh}EOFMESH`,
          },
        },
      );
      await site.until(networked, "running");
      // Loopback alone.
      await waitUntil("it has looked", async () => (await site.log(networked)) === `1\n${value}\n`);
      await site.provider.delete(networked.pod, new AbortController().signal);
      await expect
        .poll(
          async () => (await site.status(networked))?.containers[0]?.state?.terminated?.exitCode,
          { timeout: 60_000 },
        )
        .toBe(3);
      await site.delete(networked);
    });

    test("refuses a pod that is too large for a script of Slurm, and says what to do", async () => {
      const large = withSecret("true", "x".repeat(5 * 1024 * 1024));
      await expect(create(large)).rejects.toThrow(/needs a job script of \d+ bytes/);
      await site.delete(large);
    });

    /** What the plugin still holds of it on disk. */
    async function filesLeft(text: string): Promise<string[]> {
      const found = await runProgram("grep", ["-rlF", text, site.root]).catch(() =>
        Buffer.from(""),
      );
      return found.toString().split("\n").filter(Boolean);
    }
  },
);

/** Command lines, and environments, of all processes of this machine. */
function processesThatShow(text: string): string[] {
  const own = String(process.pid);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== own)
    .flatMap((pid) => ["cmdline", "environ"].map((file) => `/proc/${pid}/${file}`))
    .filter((file) => {
      try {
        return readFileSync(file, "utf8").includes(text);
      } catch {
        // It has ended meanwhile.
        return false;
      }
    });
}
