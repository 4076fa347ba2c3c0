import type { Probe } from "kubernetes-types/core/v1.js";
import { expect } from "vitest";
import {
  containerOf,
  EACH_SECOND,
  exec,
  isReady,
  PATIENT,
  SLEEP,
  seconds,
  shared,
  steps,
} from "./pods.ts";
import { freePort, grpcHealthAnswer, httpAnswer, listener } from "./servers.ts";
import type { Site } from "./site.ts";
import type { Group } from "./suite.ts";

/** Behaviours 34 to 43: what probes do to a container, and what they leave alone. */
export const probes: Group = (behaviour) => {
  const always = { restartPolicy: "Always", terminationGracePeriodSeconds: 1 };

  async function expectRestart(site: Site, name: string, words: RegExp): Promise<void> {
    const pod = await site.podSeen(
      name,
      "was restarted",
      (one) => (containerOf(one)?.restartCount ?? 0) >= 1,
    );
    const events = await site.eventsOf(pod, ({ reason }) => reason === "Killing");
    const told = events.map(({ reason, message }) => `${reason}: ${message}`);
    expect(told).toContain("Killing: Container main failed liveness probe, will be restarted");
    expect(told.find((line) => line.startsWith("Unhealthy: Liveness probe failed: "))).toMatch(
      words,
    );
    await site.delete(name);
  }

  /** A server that writes a line into its log for each look: after some of them it still is the same one. */
  async function expectNoRestart(site: Site, name: string, server: string, livenessProbe: Probe) {
    await site.createPod(name, { command: server, spec: always, container: { livenessProbe } });
    await site.logWith(name, /(?:[^\n]+\n){4}/);
    const states = site.history.states(name);
    expect(states.every((pod) => (containerOf(pod)?.restartCount ?? 0) === 0)).toBe(true);
    const events = await site.eventsOf(states.at(-1) ?? {}, () => true);
    expect(events.map(({ reason }) => reason)).not.toContain("Unhealthy");
    await site.delete(name);
  }

  behaviour(34, {}, async (site) => {
    const command = `touch /work/health; sleep 1; rm /work/health; ${SLEEP}`;
    const livenessProbe = { ...exec("cat /work/health"), ...PATIENT };
    await site.createPod(
      "exec-fails",
      shared({ command, spec: always, container: { livenessProbe } }),
    );
    await expectRestart(site, "exec-fails", /No such file/);
  });

  behaviour(35, {}, async (site) => {
    const options = shared({
      command: "touch /work/looks; exec tail -f /work/looks",
      spec: always,
      container: { livenessProbe: { ...exec("echo look >> /work/looks"), ...PATIENT } },
    });
    await site.createPod("exec-passes", options);
    const log = await site.logWith("exec-passes", /(?:look\n){4}/);
    expect(log).toContain("look");
    const pod = site.history.states("exec-passes").at(-1);
    expect(containerOf(pod)?.restartCount).toBe(0);
    await site.delete("exec-passes");
  });

  behaviour(36, {}, async (site) => {
    const port = await freePort();
    const livenessProbe = {
      httpGet: { path: "/healthz", port },
      ...PATIENT,
    };
    await site.createPod("http-fails", {
      command: listener(port, httpAnswer("500 Unwell")),
      spec: always,
      container: { livenessProbe },
    });
    await expectRestart(site, "http-fails", /statuscode: 500/);
  });

  behaviour(37, {}, async (site) => {
    const port = await freePort();
    const server = listener(port, httpAnswer());
    const probe = { httpGet: { path: "/healthz", port }, ...PATIENT };
    await expectNoRestart(site, "http-passes", server, probe);
  });

  behaviour(38, {}, async (site) => {
    const port = await freePort();
    const server = listener(port, "echo connected >&2");
    const probe = { tcpSocket: { port }, ...PATIENT };
    await expectNoRestart(site, "tcp-passes", server, probe);
  });

  behaviour(39, { sinceVersion: "1.24" }, async (site) => {
    const port = await freePort();
    const server = listener(port, grpcHealthAnswer(1));
    const probe = { grpc: { port }, ...PATIENT };
    await expectNoRestart(site, "grpc-passes", server, probe);
  });

  behaviour(40, { sinceVersion: "1.24" }, async (site) => {
    const port = await freePort();
    const livenessProbe = { grpc: { port }, ...PATIENT };
    await site.createPod("grpc-fails", {
      command: listener(port, grpcHealthAnswer(2)),
      spec: always,
      container: { livenessProbe },
    });
    await expectRestart(site, "grpc-fails", /NOT_SERVING/);
  });

  behaviour(41, {}, async (site) => {
    const livenessProbe = { ...exec("exit 1"), ...EACH_SECOND };
    await site.createPod("counts", { command: SLEEP, spec: always, container: { livenessProbe } });
    // Backed off from for 10 and 20 seconds in between.
    await site.podSeen(
      "counts",
      "was restarted three times",
      (pod) => (containerOf(pod)?.restartCount ?? 0) >= 3,
      90_000,
    );
    const counts = site.history.states("counts").map((pod) => containerOf(pod)?.restartCount ?? 0);
    expect(steps(counts)).toEqual([0, 1, 2, 3]);
    await site.delete("counts");
  });

  behaviour(42, {}, async (site) => {
    const readinessProbe = { ...exec("exit 0"), ...PATIENT, initialDelaySeconds: 4 };
    await site.createPod("delayed", {
      command: SLEEP,
      spec: always,
      container: { readinessProbe },
    });
    const pod = await site.podReady("delayed");
    const { state, restartCount } = containerOf(pod) ?? {};
    const ready = pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
    const waited = seconds(ready) - seconds(state?.running?.startedAt);
    expect(waited).toBeGreaterThanOrEqual(4);
    expect(restartCount).toBe(0);
    await site.delete("delayed");
  });

  behaviour(43, {}, async (site) => {
    const looks = "echo look >> /work/looks; exit 1";
    const options = shared({
      command: "touch /work/looks; exec tail -f /work/looks",
      spec: always,
      container: { readinessProbe: { ...exec(looks), ...EACH_SECOND } },
    });
    await site.createPod("never-ready", options);
    await site.logWith("never-ready", /(?:look\n){4}/);
    const states = site.history.states("never-ready");
    expect(states.some(isReady)).toBe(false);
    expect(states.at(-1)?.status?.phase).toBe("Running");
    expect(containerOf(states.at(-1))?.restartCount).toBe(0);
    await site.delete("never-ready");
  });
};
