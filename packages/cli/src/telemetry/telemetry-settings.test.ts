import { expect, test } from "vitest";
import { isTracing, telemetrySettings } from "./telemetry-settings.ts";

test.each([
  ["1", true],
  ["true", false],
  ["0", false],
  ["", false],
  [undefined, false],
])("spans are sent with ENABLE_TRACING=%j: %s, as existing programs do", (value, is) => {
  expect(isTracing({ ENABLE_TRACING: value })).toBe(is);
});

test.each([
  [{}, { protocol: "grpc", target: "localhost:4317" }],
  [
    { TELEMETRY_ENDPOINT: "otel.example.org:443" },
    { protocol: "grpc", target: "otel.example.org:443" },
  ],
  [{ TELEMETRY_ENDPOINT: "http://o:4318" }, { protocol: "http", url: "http://o:4318/v1/traces" }],
  [{ TELEMETRY_ENDPOINT: "https://o/x" }, { protocol: "http", url: "https://o/x" }],
])("the endpoint of %j is %j", (env, endpoint) => {
  expect(telemetrySettings(env)).toMatchObject({ endpoint });
});

test("all other variables are read", () => {
  const env = {
    TELEMETRY_UNIQUE_ID: "site-7",
    TELEMETRY_CA_CRT_FILEPATH: "/ca",
    TELEMETRY_CLIENT_CRT_FILEPATH: "/crt",
    TELEMETRY_CLIENT_KEY_FILEPATH: "/key",
    TELEMETRY_INSECURE_SKIP_VERIFY: "true",
  };
  expect(telemetrySettings(env)).toMatchObject({
    uniqueId: "site-7",
    files: { ca: "/ca", cert: "/crt", key: "/key" },
    insecureSkipVerify: true,
  });
});

test.each([
  [{ TELEMETRY_CA_CRT_FILEPATH: "/ca" }, "TELEMETRY_CLIENT_CRT_FILEPATH"],
  [{ TELEMETRY_CA_CRT_FILEPATH: "ca.pem" }, "absolute"],
  [{ TELEMETRY_CA_CRT_FILEPATH: "/a/../ca.pem" }, "absolute"],
  [{ TELEMETRY_ENDPOINT: "nowhere" }, "host:port"],
])("%j is refused with words about it", (env, words) => {
  expect(() => telemetrySettings(env)).toThrow(words);
});
