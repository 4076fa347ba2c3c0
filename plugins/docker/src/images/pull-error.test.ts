import { expect, it } from "vitest";
import { pullError } from "./image-store.ts";

it.each([
  ["manifest for a/b:c not found: manifest unknown: manifest unknown", "ErrImagePull"],
  [
    "pull access denied for x, repository does not exist or may require 'docker login'",
    "ErrImagePull",
  ],
  ['Head "http://r.test/v2/a/manifests/b": no basic auth credentials', "ErrImagePull"],
  ["no matching manifest for linux/amd64 in the manifest list entries", "ErrImagePull"],
  ["write /var/lib/docker/tmp: no space left on device", "ErrImagePull"],
  [
    'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    "RegistryUnavailable",
  ],
  ['Get "https://r.test/v2/": dial tcp: lookup r.test: no such host', "RegistryUnavailable"],
  ['Get "https://r.test/v2/": net/http: TLS handshake timeout', "RegistryUnavailable"],
  ["received unexpected HTTP status: 503 Service Unavailable", "RegistryUnavailable"],
  ['Get "https://r.test/v2/": EOF', "RegistryUnavailable"],
])("%s is %s", (words, code) => {
  expect(pullError(new Error(words))).toMatchObject({ code, message: words });
});
