import { createDockerProvider } from "@interlink/plugin-docker";
import { describeProvider } from "@interlink/plugin-sdk/testing";
import pino from "pino";
import { describeDocker } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";

describeDocker("the contract of providers, on a real engine", (docker) => {
  describeProvider(
    "the Docker plugin",
    (root) =>
      createDockerProvider({
        root,
        dockerHost: docker.host,
        logger: pino({ level: "silent" }),
      }),
    {
      image: BUSYBOX,
      statusStream: true,
      ping: true,
      restarts: true,
      severalContainers: true,
      volumes: true,
    },
  );
});
