import { expect, test } from "vitest";
import { listenAddress, siteAddress } from "./site-address.ts";

test.each([
  ["http://127.0.0.1", "3000", "http://127.0.0.1:3000"],
  ["http://127.0.0.1/", "3000", "http://127.0.0.1:3000"],
  ["https://site.example.org", "443", "https://site.example.org:443"],
  // The existing node writes both behind one another, and fails.
  ["http://interlink-api:3000", "3000", "http://interlink-api:3000"],
  ["http://interlink-api:3000/", "4000", "http://interlink-api:3000"],
  ["http://[::1]", "3000", "http://[::1]:3000"],
  ["http://127.0.0.1", undefined, "http://127.0.0.1"],
  ["http://interlink-api:3000/plugins/gpu", "3000", "http://interlink-api:3000/plugins/gpu"],
  ["http://interlink-api/plugins/gpu/", "3000", "http://interlink-api:3000/plugins/gpu"],
  ["http://interlink-api", "3000/plugins/gpu", "http://interlink-api:3000/plugins/gpu"],
  ["site.example.org", "3000", "http://site.example.org:3000"],
  ["http//site.example.org", "3000", "http//site.example.org"],
  ["unix:///run/interlink.sock", "unix:///run/interlink.sock-1", "unix:///run/interlink.sock"],
])("the URL %s and the port %s are the address %s", (url, port, address) => {
  expect(siteAddress(url, port)).toBe(address);
});

test.each([
  ["http://0.0.0.0", "3000", "0.0.0.0:3000"],
  ["https://0.0.0.0", "3000", "0.0.0.0:3000"],
  ["", "3000", ":3000"],
  ["unix:///run/interlink.sock", "1", "unix:///run/interlink.sock"],
])("the URL %j and the port %s are listened on at %s", (url, port, address) => {
  expect(listenAddress(url, port)).toBe(address);
});
