import { describeProvider } from "@interlink/plugin-sdk/testing";
import { createProcessProvider } from "./process-provider.ts";
import { hostCanMount, silent } from "./testing/process-harness.ts";

/** Gives back every byte; ends when its caller has. */
const ECHO_SERVER =
  "require('net').createServer({ allowHalfOpen: true }, (s) => s.pipe(s)).listen(process.argv[1], '127.0.0.1')";

describeProvider("the process plugin", (root) => createProcessProvider({ root, logger: silent }), {
  image: "ignored",
  statusStream: true,
  ping: true,
  restarts: true,
  severalContainers: true,
  ephemeralContainers: true,
  volumes: await hostCanMount(),
  streams: {
    exec: true,
    attach: true,
    stats: true,
    hangsUp: true,
    echoServer: (port) => [process.execPath, "-e", ECHO_SERVER, String(port)],
  },
});
