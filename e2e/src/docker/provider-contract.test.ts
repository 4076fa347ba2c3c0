import { createDockerProvider } from "@interlink/plugin-docker";
import { describeProvider } from "@interlink/plugin-sdk/testing";
import pino from "pino";
import { describeEngines } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";

describeEngines("the contract of providers, on a real engine", (engine) => {
  describeProvider(
    "the Docker plugin",
    (root) =>
      createDockerProvider({
        root,
        dockerHost: engine.host,
        logger: pino({ level: "silent" }),
      }),
    {
      image: BUSYBOX,
      statusStream: true,
      ping: true,
      restarts: true,
      severalContainers: true,
      ephemeralContainers: true,
      volumes: true,
      streams: {
        exec: true,
        attach: true,
        stats: true,
        // The engine is on this machine.
        hangsUp: true,
        inputEndsWithFirstCaller: engine.kind === "podman",
        echoServer: (port) => ["nc", "-ll", "-p", String(port), "-e", "cat"],
      },
    },
  );
});
