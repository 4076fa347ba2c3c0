import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { expect } from "vitest";
import { inBackground } from "./background.ts";
import { execByWebSocket } from "./exec-by-websocket.ts";
import { STAY } from "./pod-helpers.ts";
import type { Group } from "./suite.ts";
import { webServer } from "./web-server.ts";

const TERMINATION_LOG = {
  process: "With the process plugin, $INTERLINK_TERMINATION_LOG names the file for the message.",
  slurm: "With the Slurm plugin, terminationMessagePath has to name a file that is not below /dev.",
};

/** Behaviours 78 to 81: logs, exec, termination messages, and kubectl. */
export const streams: Group = (behaviour) => {
  behaviour(78, {}, async (site) => {
    const name = "logs";
    expect(await site.output(name, { command: "echo one; echo two; echo three" })).toBe(
      "one\ntwo\nthree\n",
    );
    expect(await site.logs(name, "--tail=1")).toBe("three\n");
    expect(await site.logs(name, "--tail=2", "--limit-bytes=6")).toBe("two\nth");
    expect(await site.logs(name, "--timestamps", "--tail=1")).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) three\n$/,
    );
    expect(await site.logs(name, "--since=1h")).toBe("one\ntwo\nthree\n");
    expect(await site.logs(name, "--since-time=2099-01-01T00:00:00Z")).toBe("");
    expect(await site.logs(name, "--follow")).toBe("one\ntwo\nthree\n");
    await site.delete(name);
  });

  behaviour(79, {}, async (site) => {
    const name = "exec";
    await site.createPod(name, {
      command: STAY,
      container: { env: [{ name: "OWN", value: "of the container" }] },
    });
    await site.podReady(name);
    const exec = (args: readonly string[], input = "") =>
      site.kubectl.try(["exec", name, ...args], { input });
    expect(await exec(["--", "sh", "-c", 'echo "$OWN"; echo bad >&2'])).toEqual({
      code: 0,
      stdout: "of the container\n",
      stderr: "bad\n",
    });
    expect(await exec(["-i", "--", "cat"], "typed\n")).toMatchObject({ stdout: "typed\n" });
    expect((await exec(["--", "sh", "-c", "exit 7"])).code).toBe(7);
    expect((await exec(["--", "/no/such/program"])).code).not.toBe(0);

    const long = "x".repeat(100_000);
    expect(await execByWebSocket(site, name, ["sh", "-c", "echo out; echo err >&2"])).toEqual({
      stdout: "out\n",
      stderr: "err\n",
      status: "Success",
    });
    expect(
      await execByWebSocket(site, name, ["sh", "-c", `head -c ${long.length}; exit 3`], long),
    ).toEqual({
      stdout: long,
      stderr: "",
      status: "Failure",
    });
    await site.delete(name);
  });

  behaviour(80, { note: TERMINATION_LOG }, async (site) => {
    const [ownFile, usualFile] =
      site.plugin === "slurm" ? ["/own-log", "/own-log"] : ["/dev/own-log", "/dev/termination-log"];
    const own = `\${INTERLINK_TERMINATION_LOG:-${ownFile}}`;
    const path = { terminationMessagePath: ownFile };
    const usual = ownFile === usualFile ? path : {};
    const fallback = { terminationMessagePolicy: "FallbackToLogsOnError" };
    const user = site.plugin === "docker" ? { securityContext: { runAsUser: 1000 } } : {};
    const cases = {
      "message-file": [`printf DONE > ${own}`, path, "DONE"],
      "message-user": [`printf DONE > ${own}; exit 1`, { ...path, ...user }, "DONE"],
      "message-log": ["printf DONE; exit 1", fallback, "DONE"],
      "message-none": ["printf DONE", fallback, undefined],
      "message-both": [
        `printf OK > \${INTERLINK_TERMINATION_LOG:-${usualFile}}; echo log; exit 1`,
        { ...fallback, ...usual },
        "OK",
      ],
    } as const;
    const found = Object.entries(cases).map(async ([name, [command, container]]) => {
      await site.createPod(name, { command, container });
      const { status } = await site.podInPhase(name, "Succeeded", "Failed");
      await site.delete(name);
      return [name, status?.containerStatuses?.[0]?.state?.terminated?.message];
    });
    expect(Object.fromEntries(await Promise.all(found))).toEqual(
      Object.fromEntries(Object.entries(cases).map(([name, [, , message]]) => [name, message])),
    );
  });

  behaviour(81, {}, async (site) => {
    const name = "attached";
    const command = 'while read -r line; do echo "got $line"; done; echo end';
    await site.createPod(name, { command, container: { stdin: true, stdinOnce: true } });
    await site.podReady(name);
    const { stdout } = await site.kubectl.try(["attach", "-i", name], { input: "one\ntwo\n" });
    expect(stdout).toContain("got one\ngot two\nend\n");
    await site.podInPhase(name, "Succeeded");
    await site.delete(name);

    const overrides = { apiVersion: "v1", spec: { tolerations: [{ operator: "Exists" }] } };
    const run = ["run", "run-rm", "--image=busybox:latest", "--image-pull-policy=IfNotPresent"];
    const options = ["--restart=Never", "--rm", "-i", `--overrides=${JSON.stringify(overrides)}`];
    const args = [...run, ...options, "--command", "--", "sh", "-c", command];
    expect(await site.kubectl.run(args, { input: "hello\n" })).toContain("got hello\nend\n");
    await site.podGone("run-rm");
  });

  behaviour(81, {}, async (site) => {
    await using server = await webServer(site, "forwarded", "of the pod");
    const args = ["port-forward", "pod/forwarded", `:${server.port}`, "--address=127.0.0.1"];
    await using forward = await inBackground(site, args, /127\.0\.0\.1:(\d+) ->/);
    const url = `http://127.0.0.1:${forward.match[1]}/index.html`;
    // One after the other, and several at once.
    for (const count of [1, 1, 4]) {
      const answers = Array.from({ length: count }, async () => {
        const { body } = await request(url, { reset: true });
        return body.text();
      });
      expect(new Set(await Promise.all(answers))).toEqual(new Set(["of the pod"]));
    }
  });

  behaviour(81, {}, async (site) => {
    const directory = await mkdtemp(join(tmpdir(), "interlink-cp-"));
    const name = "copied";
    try {
      await site.createPod(name, {
        command: STAY,
        spec: { volumes: [{ name: "data", emptyDir: {} }] },
        container: { volumeMounts: [{ name: "data", mountPath: "/data" }] },
      });
      await site.podReady(name);
      const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
      await writeFile(join(directory, "there"), content);
      await site.kubectl.run(["cp", join(directory, "there"), `${name}:/data/file`]);
      await site.kubectl.run(["cp", `${name}:/data/file`, join(directory, "back")]);
      expect(content.equals(await readFile(join(directory, "back")))).toBe(true);
      await site.delete(name);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  behaviour(81, {}, async (site) => {
    const name = "edited";
    await site.createPod(name, { command: STAY });
    await site.eventsOf(await site.podReady(name), ({ reason }) => reason === "Started");
    const described = await site.kubectl.run(["describe", "pod", name]);
    expect(described).toMatch(/Status: +Running/);
    expect(described).toMatch(new RegExp(`Node: +${site.system.nodeName}/`));
    expect(described).toMatch(/Normal +Started .*Started container main/);
    expect(await site.kubectl.run(["describe", "node", site.system.nodeName])).toContain(name);

    await site.kubectl.run(["label", "pod", name, "own=1"]);
    await site.kubectl.run([
      "patch",
      "pod",
      name,
      "-p",
      '{"metadata":{"annotations":{"own":"2"}}}',
    ]);
    const pod = await site.kubectl.json<{ metadata: { labels: Record<string, string> } }>([
      "get",
      "pod",
      name,
    ]);
    expect(pod.metadata).toMatchObject({ labels: { own: "1" }, annotations: { own: "2" } });
    pod.metadata.labels["own"] = "3";
    const input = JSON.stringify(pod);
    const { code, stdout } = await site.kubectl.try(["diff", "-f", "-"], { input });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^-.*own: "1"$/m);
    await site.kubectl.run(["replace", "-f", "-"], { input });
    const { metadata, status } = await site.podReady(name);
    expect(metadata?.labels?.["own"]).toBe("3");
    expect(status?.containerStatuses?.[0]?.restartCount).toBe(0);
    await site.delete(name);
  });
};
