import { describeProvider } from "@interlink/plugin-sdk/testing";
import { createProcessProvider } from "./process-provider.ts";
import { hostCanMount, silent } from "./testing/process-harness.ts";

describeProvider("the process plugin", (root) => createProcessProvider({ root, logger: silent }), {
  image: "ignored",
  statusStream: true,
  ping: true,
  restarts: true,
  severalContainers: true,
  volumes: await hostCanMount(),
});
