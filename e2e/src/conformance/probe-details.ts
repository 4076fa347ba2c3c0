import { expect } from "vitest";
import { containerOf, EACH_SECOND, exec, isReady, PATIENT, SLEEP, shared } from "./pods.ts";
import { freePort, httpAnswer, listener } from "./servers.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";

const REDIRECTS = { notApplicable: { slurm: SLURM_LIMITS.redirects } };

/** Behaviour 44, each part by itself. */
export const probeDetails: Group = (behaviour) => {
  const always = { restartPolicy: "Always", terminationGracePeriodSeconds: 1 };
  const wasRestarted = (pod: Parameters<typeof containerOf>[0]) =>
    (containerOf(pod)?.restartCount ?? 0) >= 1;

  // Startup probes: nothing else looks before one has passed, and one that fails restarts.
  behaviour(44, {}, async (site) => {
    const options = shared({
      command: `sleep 3; touch /work/started; ${SLEEP}`,
      spec: always,
      container: {
        startupProbe: { ...exec("test -e /work/started"), periodSeconds: 1, failureThreshold: 60 },
        livenessProbe: { ...exec("test -e /work/started"), ...EACH_SECOND, timeoutSeconds: 10 },
      },
    });
    await site.createPod("starts-slowly", options);
    const waits = await site.podSeen(
      "starts-slowly",
      "runs, and has not started",
      (pod) => containerOf(pod)?.state?.running !== undefined && !containerOf(pod)?.started,
    );
    expect(isReady(waits)).toBe(false);
    const pod = await site.podReady("starts-slowly");
    expect(containerOf(pod)).toMatchObject({ started: true, restartCount: 0 });
    await site.delete("starts-slowly");
  });

  behaviour(44, {}, async (site) => {
    const startupProbe = { ...exec("exit 1"), ...EACH_SECOND };
    await site.createPod("never-starts", {
      command: SLEEP,
      spec: always,
      container: { startupProbe },
    });
    const pod = await site.podSeen("never-starts", "was restarted", wasRestarted);
    const events = await site.eventsOf(pod, ({ reason }) => reason === "Killing");
    expect(events.map(({ message }) => message)).toContain(
      "Container main failed startup probe, will be restarted",
    );
    await site.delete("never-starts");
  });

  behaviour(44, { sinceVersion: "1.25" }, async (site) => {
    const livenessProbe = { ...exec("exit 1"), ...EACH_SECOND, terminationGracePeriodSeconds: 1 };
    await site.createPod("deaf", {
      command: "trap '' TERM; while true; do sleep 0.1; done",
      spec: { ...always, terminationGracePeriodSeconds: 500 },
      container: { livenessProbe },
    });
    const pod = await site.podSeen("deaf", "was restarted", wasRestarted);
    expect(containerOf(pod)?.lastState?.terminated?.exitCode).toBe(137);
    await site.delete("deaf");
  });

  behaviour(44, {}, async (site) => {
    const livenessProbe = { ...exec("sleep 100"), ...EACH_SECOND, timeoutSeconds: 1 };
    await site.createPod("too-slow", {
      command: SLEEP,
      spec: always,
      container: { livenessProbe },
    });
    const pod = await site.podSeen("too-slow", "was restarted", wasRestarted);
    const events = await site.eventsOf(pod, ({ reason }) => reason === "Unhealthy");
    expect(events.map(({ message }) => message).join()).toMatch(/timed out/);
    await site.delete("too-slow");
  });

  // A redirect to the server itself is followed, and what is there counts.
  behaviour(44, REDIRECTS, async (site) => {
    const port = await freePort();
    // Answers the path that was asked for with a redirect, and the other one with an error.
    const answers = `read -r method path rest; echo "$path" >&2; while read -r header && [ "\${#header}" -gt 1 ]; do :; done; case "$path" in /moved) printf "HTTP/1.1 302 Found\\r\\nLocation: /here\\r\\nContent-Length: 0\\r\\n\\r\\n";; *) printf "HTTP/1.1 500 Unwell\\r\\nContent-Length: 0\\r\\n\\r\\n";; esac`;
    await site.createPod("redirects-here", {
      command: listener(port, answers),
      spec: always,
      container: {
        livenessProbe: {
          httpGet: { path: "/moved", port },
          ...PATIENT,
        },
      },
    });
    const pod = await site.podSeen("redirects-here", "was restarted", wasRestarted);
    expect(await site.logs("redirects-here", "--previous")).toBe("/moved\n/here\n");
    const events = await site.eventsOf(pod, ({ reason }) => reason === "Unhealthy");
    expect(events.map(({ message }) => message).join()).toMatch(/statuscode: 500/);
    await site.delete("redirects-here");
  });

  // One to another host is not, and is a success with a warning.
  behaviour(44, REDIRECTS, async (site) => {
    const port = await freePort();
    const server = listener(port, httpAnswer("302 Found\\r\\nLocation: http://elsewhere.invalid/"));
    await site.createPod("redirects-away", {
      command: server,
      spec: always,
      container: {
        livenessProbe: { httpGet: { path: "/", port }, ...PATIENT },
      },
    });
    await site.logWith("redirects-away", /(?:GET [^\n]*\n){3}/);
    const pod = site.history.states("redirects-away").at(-1) ?? {};
    const events = await site.eventsOf(pod, ({ reason }) => reason === "ProbeWarning");
    expect(events.map(({ reason }) => reason)).not.toContain("Unhealthy");
    expect(containerOf(pod)?.restartCount).toBe(0);
    await site.delete("redirects-away");
  });

  behaviour(44, {}, async (site) => {
    // Told to end, it says that it is not ready any more, and goes on until that was seen by two looks.
    const end = "rm /work/ready; until [ -e /work/seen2 ]; do sleep 0.1; done; exit 0";
    const look =
      "test -e /work/ready && exit 0; test -e /work/seen && touch /work/seen2; touch /work/seen; exit 1";
    const options = shared({
      command: `trap '${end}' TERM; touch /work/ready; sleep 1000 & wait`,
      spec: { terminationGracePeriodSeconds: 60 },
      container: { readinessProbe: { ...exec(look), ...EACH_SECOND } },
    });
    await site.createPod("leaves", options);
    await site.podReady("leaves");
    await site.kubectl.run(["delete", "pod", "leaves"]);
    await site.podGone("leaves");
    const isUnready = site.history
      .states("leaves")
      .some(
        (pod) =>
          pod.metadata?.deletionTimestamp && !isReady(pod) && containerOf(pod)?.state?.running,
      );
    expect(isUnready).toBe(true);
  });
};
