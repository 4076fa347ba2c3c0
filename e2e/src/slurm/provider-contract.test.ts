import { describeProvider } from "@interlink/plugin-sdk/testing";
import { createSlurmProvider, readSlurmConfig } from "@interlink/plugin-slurm";
import pino from "pino";
import { beforeAll } from "vitest";
import { describeSlurmSite } from "../systems/describe-system.ts";
import { becomeUser } from "./become-user.ts";

describeSlurmSite("the contract of providers, on a real Slurm", ({ slurm, apptainer }) => {
  // All that follows, jobs included, is done by a user without rights.
  beforeAll(() => becomeUser(slurm));

  describeProvider(
    "the Slurm plugin",
    (root) => {
      const file = {
        ContainerRuntime: "apptainer",
        SingularityPath: apptainer.path,
        PollSeconds: 1,
      };
      return createSlurmProvider({
        root,
        settings: readSlurmConfig({
          file: { name: "settings", text: JSON.stringify(file) },
          env: {},
        }).options,
        logger: pino({ level: process.env["LOG_LEVEL"] ?? "silent" }),
        recordsMs: 100,
      });
    },
    {
      image: apptainer.image,
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
        hangsUp: true,
        echoServer: (port) => ["nc", "-l", "-p", String(port), "-e", "cat"],
      },
      patienceMs: 30_000,
    },
  );
});
