import { expect } from "vitest";
import {
  containerOf,
  exec,
  exitCodeOf,
  isReady,
  SLEEP,
  seconds,
  shared,
  untilTold,
} from "./pods.ts";
import { freePort, httpAnswer, listener } from "./servers.ts";
import type { Site } from "./site.ts";
import type { Group } from "./suite.ts";

/** Behaviours 45 to 48: postStart and preStop. */
export const hooks: Group = (behaviour) => {
  /** A pod that a hook calls, and what its log has to show. */
  async function target(site: Site, name: string, path: string) {
    const port = await freePort();
    await site.createPod(name, {
      command: listener(port, httpAnswer()),
      container: { readinessProbe: { tcpSocket: { port }, periodSeconds: 1 } },
    });
    const { status } = await site.podReady(name);
    const host = status?.podIP ?? "127.0.0.1";
    const was = () => site.logWith(name, new RegExp(`GET /${path} HTTP/1.1`));
    return { hook: { httpGet: { host, port, path: `/${path}` } }, was };
  }

  behaviour(45, {}, async (site) => {
    const command = `until [ -e /work/hook ]; do sleep 0.1; done; echo hooked; ${SLEEP}`;
    const postStart = exec("sleep 2; touch /work/hook");
    await site.createPod("post-exec", shared({ command, container: { lifecycle: { postStart } } }));
    const pod = await site.podReady("post-exec");
    expect(await site.logWith("post-exec", /hooked/)).toBe("hooked\n");
    const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
    const started = containerOf(pod)?.state?.running?.startedAt;
    expect(seconds(ready?.lastTransitionTime) - seconds(started)).toBeGreaterThanOrEqual(2);

    const { hook, was } = await target(site, "post-target", "post-start");
    await site.createPod("post-http", {
      command: SLEEP,
      container: { lifecycle: { postStart: hook } },
    });
    await site.podReady("post-http");
    await was();
    await site.delete("post-exec", "post-http", "post-target");
  });

  behaviour(46, {}, async (site) => {
    const { hook, was } = await target(site, "pre-target", "pre-stop");
    const command = "trap 'test -e /work/hook && exit 42' TERM; echo up; sleep 1000 & wait";
    const lifecycle = { preStop: exec("touch /work/hook") };
    await site.createPod("pre-exec", shared({ command, container: { lifecycle } }));
    await site.createPod("pre-http", {
      command: SLEEP,
      container: { lifecycle: { preStop: hook } },
    });
    await site.logWith("pre-exec", /up/);
    await site.podReady("pre-http");
    await site.kubectl.run(["delete", "pod", "pre-exec", "pre-http"]);
    expect(exitCodeOf(await site.podGone("pre-exec"))).toBe(42);
    await was();
    await site.delete("pre-target");
  });

  behaviour(47, {}, async (site) => {
    const command = "trap 'test -e /work/hook && exit 42' TERM; echo up; sleep 1000 & wait";
    const lifecycle = { preStop: exec("touch /work/hook") };
    await site.createPod("pre-killed", shared({ command, container: { lifecycle } }));
    await site.logWith("pre-killed", /up/);
    await site.patchPod("pre-killed", { spec: { activeDeadlineSeconds: 1 } });
    const pod = await site.podInPhase("pre-killed", "Failed");
    expect(pod.status?.reason).toBe("DeadlineExceeded");
    expect(exitCodeOf(pod)).toBe(42);
    await site.delete("pre-killed");
  });

  behaviour(48, { sinceVersion: "1.30" }, async (site) => {
    const sleeping = async (name: string, sleep: number, grace: number): Promise<number> => {
      await site.createPod(name, {
        command: untilTold(0),
        spec: { terminationGracePeriodSeconds: grace },
        container: { lifecycle: { preStop: { sleep: { seconds: sleep } } } },
      });
      await site.logWith(name, /up/);
      await site.kubectl.run(["delete", "pod", name]);
      const last = await site.podGone(name);
      expect(isReady(last)).toBe(false);
      const { deletionTimestamp, deletionGracePeriodSeconds = 0 } =
        site.history.states(name).find(({ metadata }) => metadata?.deletionTimestamp)?.metadata ??
        {};
      const asked = seconds(deletionTimestamp) - deletionGracePeriodSeconds;
      const { finishedAt } = containerOf(last)?.state?.terminated ?? {};
      return seconds(finishedAt) - asked;
    };
    const [within, beyond] = await Promise.all([
      sleeping("sleeps-within", 3, 60),
      sleeping("sleeps-beyond", 300, 2),
    ]);
    expect(within).toBeGreaterThanOrEqual(3);
    expect(within).toBeLessThan(60);
    expect(beyond).toBeLessThan(60);
  });
};
