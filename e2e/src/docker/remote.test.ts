import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineClient, isEngineError, parseDockerHost } from "@interlink/plugin-docker";
import { expect, it, onTestFinished } from "vitest";
import { describeDocker } from "../systems/describe-system.ts";
import { findProgram } from "../systems/programs.ts";
import { listenTls, makeCertificates, reachBySsh } from "./remote-access.ts";

const signal = new AbortController().signal;

describeDocker("an engine on another machine", (docker) => {
  const why = findProgram("sshd") === undefined ? " [skipped: no sshd (openssh-server)]" : "";

  it.skipIf(why !== "")(`answers over ssh, as the docker command reaches it${why}`, async () => {
    const folder = temporary();
    await reachBySsh(folder, docker.host);

    await using engine = new EngineClient(parseDockerHost("ssh://engine"));
    const local = new EngineClient(parseDockerHost(docker.host));
    await using _local = local;
    const info = (client: EngineClient) =>
      client.json<{ ID: string }>({ method: "GET", path: "/info", signal });
    expect((await info(engine)).ID).toBe((await info(local)).ID);
    const many = await Promise.all(Array.from({ length: 30 }, () => info(engine)));
    expect(many).toHaveLength(30);

    await using wrong = new EngineClient(parseDockerHost("ssh://nobody@engine"));
    const error = await info(wrong).catch((failure: unknown) => failure);
    expect(isEngineError(error, "unreachable")).toBe(true);
    expect(String(error)).toMatch(/ssh:\/\/nobody@engine does not answer .*ssh says: .*denied/s);
  });

  it("answers over TLS, to those with its certificate", async () => {
    const folder = temporary();
    const certificates = await makeCertificates(folder);
    const host = `tcp://127.0.0.1:${await listenTls(certificates, docker.host)}`;
    const env = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates };
    await using engine = new EngineClient(parseDockerHost(host, env));
    expect(await engine.json({ method: "GET", path: "/info", signal })).toMatchObject({
      OSType: "linux",
    });
    const others = { ...env, DOCKER_CERT_PATH: await makeCertificates(join(folder, "other")) };
    await using stranger = new EngineClient(parseDockerHost(host, others));
    await expect(stranger.version()).rejects.toMatchObject({ code: "unreachable" });
  });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "interlink-remote-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
