import { describe, expect, test } from "vitest";
import { choosePlugin } from "./choose-plugin.ts";

const never = new AbortController().signal;
const answers = () => Promise.resolve("Engine 1.0");
const refuses = () => Promise.reject(new Error("ENOENT"));

describe("choosing a plugin", () => {
  test("Docker is taken when an engine answers, and the sentence names it and where it is", async () => {
    const chosen = await choosePlugin("auto", { DOCKER_HOST: "tcp://here:1" }, never, answers);
    expect(chosen).toEqual({
      plugin: "docker",
      dockerHost: "tcp://here:1",
      reason: "an engine answers: Engine 1.0 at tcp://here:1",
    });
  });

  test("processes are taken when none answers, and the sentence says where it looked and what happened", async () => {
    const { plugin, reason } = await choosePlugin("auto", {}, never, refuses);
    expect(plugin).toBe("process");
    expect(reason).toBe("no Docker engine answers at unix:///var/run/docker.sock (ENOENT)");
  });

  test("Docker asked for but not there is an error that says what can be done", async () => {
    await expect(choosePlugin("docker", {}, never, refuses)).rejects.toThrow(
      /Start the engine, set DOCKER_HOST, or use --plugin process/,
    );
  });

  test("processes asked for are taken without asking any engine", async () => {
    const unasked = () => Promise.reject(new Error("must not be asked"));
    expect((await choosePlugin("process", {}, never, unasked)).plugin).toBe("process");
  });

  test("a socket that does not exist is told by its error code", async () => {
    const env = { DOCKER_HOST: "unix:///nonexistent/docker.sock" };
    expect((await choosePlugin("auto", env, never)).reason).toContain("(ENOENT)");
  });
});
