import { expect, test } from "vitest";
import {
  spdyCommandProtocol,
  spdyPortForwardProtocol,
  webSocketCommandProtocol,
  webSocketPortForwardProtocol,
} from "./protocols.ts";

test.each([
  [
    "v5.channel.k8s.io, v4.channel.k8s.io, v3.channel.k8s.io, channel.k8s.io",
    "v4.channel.k8s.io",
    4,
  ],
  ["v3.channel.k8s.io,v4.channel.k8s.io", "v3.channel.k8s.io", 3],
  ["channel.k8s.io", "channel.k8s.io", 1],
])("over SPDY, of %s the first that is known is taken", (header, name, version) => {
  expect(spdyCommandProtocol(header)).toEqual({ name, version });
});

test("over SPDY something must be offered, and known", () => {
  expect(() => spdyCommandProtocol(undefined)).toThrow("does not exist in request");
  expect(() => spdyCommandProtocol("v5.channel.k8s.io")).toThrow("client supports");
  expect(() => spdyPortForwardProtocol("v4.channel.k8s.io")).toThrow("client supports");
  expect(spdyPortForwardProtocol("portforward.k8s.io")).toBe("portforward.k8s.io");
});

test.each([
  [undefined, ""],
  ["v5.channel.k8s.io", "v5.channel.k8s.io"],
  ["base64.channel.k8s.io, channel.k8s.io", "base64.channel.k8s.io"],
  ["other, v4.channel.k8s.io", "v4.channel.k8s.io"],
])("over WebSocket, of %j the first that is known is taken", (header, name) => {
  expect(webSocketCommandProtocol(header).name).toBe(name);
});

test("over WebSocket a port-forward has protocols of its own", () => {
  expect(webSocketPortForwardProtocol("SPDY/3.1+portforward.k8s.io").name).toContain("SPDY");
  expect(() => webSocketPortForwardProtocol("v5.channel.k8s.io")).toThrow("are not supported");
  expect(() => webSocketCommandProtocol("chat")).toThrow("are not supported");
});
