export { applyStrategicPatch } from "./apply-strategic-patch.ts";
export { eventually } from "./eventually.ts";
export { FakeApiServer, type Fault, type SeenRequest } from "./fake-api-server.ts";
