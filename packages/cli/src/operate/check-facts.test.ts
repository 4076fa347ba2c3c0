import { describe, expect, test } from "vitest";
import { checkFacts } from "./check-facts.ts";
import { checkPeer } from "./check-peer.ts";
import type { ClusterFacts, Facts, NodeFacts, PeerFacts } from "./facts.ts";
import { showFindings } from "./show-findings.ts";
import { everyHopAnswers, showStatus } from "./show-status.ts";

const NOW = "2026-01-15T12:00:00.000Z";
const SITE = "https://site.example.org:3000";
const ANSWERS = { ok: true, value: { httpStatus: 200 } } as const;
const capable = (agent: string) => ({
  ok: true as const,
  value: { protocol: "interlink" as const, version: "1.0", agent, features: [] },
});
const failed = (code: string, httpStatus?: number) => ({
  ok: false as const,
  code,
  message: `the words of ${code}`,
  ...(httpStatus === undefined ? {} : { httpStatus }),
});
const GOOD: PeerFacts = {
  address: SITE,
  contact: ANSWERS,
  capabilities: capable("interlink-server (plugin-docker 0.1.0)"),
  ping: { ok: true, value: { resources: { cpu: "8" } } },
};

/** `level part: what`, and whether something is said to do. */
const told = (facts: Partial<Facts>): string[] =>
  checkFacts({ now: NOW, files: [], site: GOOD, ...facts }).map(
    ({ level, part, what, next }) =>
      `${level} ${part}: ${what}${level === "ok" || next ? "" : " (nothing to do!)"}`,
  );

describe("of an API server", () => {
  test("that answers with its plugin nothing is wrong", () => {
    expect(told({})).toEqual([
      `ok site: ${SITE} answers: interlink-server (plugin-docker 0.1.0)`,
      "ok site: its plugin answers",
    ]);
  });

  test.each<[string, RegExp]>([
    ["ECONNREFUSED", /nothing listens .* the port is wrong/],
    ["ENOENT", /there is no socket/],
    ["EACCES", /may not open/],
    ["ENOTFOUND", /is not known here/],
    ["ETIMEDOUT", /no answer/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /for another name/],
    ["CERT_HAS_EXPIRED", /not valid now/],
    ["SELF_SIGNED_CERT_IN_CHAIN", /authority that is not known here/],
    ["EPROTO", /does not speak TLS/],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", /wants another client certificate/],
    ["ECONNRESET", /closed the connection/],
    ["HPE_INVALID_CONSTANT", /does not speak HTTP/],
    ["EWHATEVER", /cannot be reached: the words of EWHATEVER/],
  ])("that cannot be reached, %s says why", (code, words) => {
    const site = { address: SITE, contact: failed(code) };
    expect(told({ site })).toEqual([expect.stringMatching(words)]);
    expect(told({ site })[0]).toMatch(/^problem site/);
    expect(everyHopAnswers({ now: NOW, files: [], site })).toBe(false);
  });

  test.each<[string, Partial<PeerFacts>, RegExp]>([
    ["a plugin", { capabilities: capable("plugin-slurm 0.1.0") }, /is a plugin .*, not an API/],
    ["a token refused", { capabilities: failed("refused", 401) }, /refuses the token/],
    ["a caller refused", { capabilities: failed("refused", 403) }, /does not let it in/],
    ["another program", { capabilities: failed("bad-answer") }, /does not answer as/],
    ["a plugin down", { ping: failed("refused", 502) }, /its plugin does not answer: the words/],
    [
      "a clock ahead",
      { contact: { ok: true, value: { httpStatus: 200, clockAheadSeconds: 90 } } },
      /is 90 s ahead of this machine's/,
    ],
    [
      "a clock behind",
      { contact: { ok: true, value: { httpStatus: 200, clockAheadSeconds: -31 } } },
      /is 31 s behind this machine's/,
    ],
  ])("that is not as it should be (%s) it is told", (_, change, words) => {
    const problems = told({ site: { ...GOOD, ...change } }).filter((one) =>
      one.startsWith("problem"),
    );
    expect(problems).toEqual([expect.stringMatching(words)]);
  });

  test.each<[number, string[]]>([
    [-1, ["problem"]],
    [13, ["warning"]],
    [15, []],
  ])("the certificate that ends in %i days is told of: %j", (days, levels) => {
    const notAfter = new Date(Date.parse(NOW) + days * 86_400_000).toISOString();
    const contact = {
      ok: true as const,
      value: { httpStatus: 200, certificate: { notAfter, subject: "site" } },
    };
    const found = checkPeer("site", { ...GOOD, contact }, NOW);
    expect(found.filter(({ level }) => level !== "ok").map(({ level }) => level)).toEqual(levels);
  });

  test("of the base protocol nothing is missing", () => {
    expect(told({ site: { ...GOOD, capabilities: { ok: true, value: undefined } } })[0]).toMatch(
      /^ok site: .* speaks the base protocol/,
    );
  });
});

test("the API server's port given for the plugin's is told", () => {
  const plugin = { ...GOOD, address: "http://127.0.0.1:3000" };
  expect(told({ plugin })[0]).toMatch(/^problem plugin: .* is an API server .*, not a plugin$/);
});

describe("of files", () => {
  test.each<[number | undefined, RegExp | undefined]>([
    [0o600, undefined],
    [0o440, undefined],
    [0o644, /anyone .* can read or change .* mode 0644/],
    [0o602, /anyone/],
    [0o660, /a whole group can change/],
    [undefined, /there is no file \/t/],
  ])("with mode %o it is told: %s", (mode, words) => {
    const file = { file: "/t", what: "the token", ...(mode === undefined ? {} : { mode }) };
    const found = told({ files: [file] }).filter((one) => one.startsWith("problem"));
    expect(found).toEqual(words === undefined ? [] : [expect.stringMatching(words)]);
  });

  test.each<[object, RegExp]>([
    [{ ok: false, code: "ENOENT", message: "no such file" }, /^problem token: .* cannot be read/],
    [{ ok: true, value: { empty: true } }, /^problem token: .* is empty/],
    [{ ok: true, value: { empty: false } }, /^ok token: .* holds a token/],
    [
      { ok: true, value: { empty: false, expires: "2026-01-15T11:59:59.000Z" } },
      /^problem token: .* ended/,
    ],
    [
      { ok: true, value: { empty: false, expires: "2026-01-15T12:00:01.000Z" } },
      /^ok token: .* good until/,
    ],
  ])("a token is judged: %j", (content, words) => {
    const token = { file: "/t", content: content as never };
    expect(told({ token })[0]).toMatch(words);
  });
});

describe("of Slurm", () => {
  const wanted = [
    { partition: "gpu", where: "Partitions" },
    { partition: "long", where: "Namespaces.a.Partition" },
  ];
  test("partitions that are missing are told, with what there is", () => {
    const found = told({ slurm: { file: "/s", partitions: { ok: true, value: ["gpu"] }, wanted } });
    expect(found[0]).toBe(
      "problem slurm: there is no partition long, which Namespaces.a.Partition names",
    );
  });

  test("that does not answer it is told", () => {
    const found = told({ slurm: { file: "/s", partitions: failed("ENOENT"), wanted } });
    expect(found[0]).toMatch(/^problem slurm: sinfo says nothing/);
  });
});

describe("of the cluster", () => {
  const NODE: NodeFacts = { ready: "True", connectivity: "True", capacity: {}, isCordoned: false };
  const cluster = (node: Partial<NodeFacts> | undefined, more: Partial<ClusterFacts> = {}) => ({
    cluster: {
      server: "https://k:6443",
      version: { ok: true as const, value: "v1.30.0" },
      nodeName: "hpc",
      node: { ok: true as const, value: node === undefined ? undefined : { ...NODE, ...node } },
      ...more,
    },
  });

  test.each<[string, Partial<Facts>, RegExp | undefined]>([
    ["all is well", cluster({ leaseAgeSeconds: 9 }), undefined],
    ["there is no node", cluster(undefined), /has no node hpc/],
    ["it is not ready", cluster({ ready: "False", readyMessage: "so" }), /is not ready: so/],
    ["its site is away", cluster({ connectivity: "False" }), /does not reach its site: False/],
    ["it is gone", cluster({ leaseAgeSeconds: 41 }), /last heard of 41 s ago/],
    ["its clock is ahead", cluster({ leaseAgeSeconds: -31 }), /clock is 31 s ahead/],
    [
      "it cannot be asked",
      cluster({}, { version: failed("unauthorized", 401) }),
      /cannot be asked: the words/,
    ],
    [
      "the credentials ended",
      cluster({}, { credentialsExpire: "2026-01-15T11:00:00.000Z" }),
      /client certificate ended/,
    ],
  ])("when %s", (_, facts, words) => {
    const found = told(facts).filter((one) => one.startsWith("problem"));
    expect(found).toEqual(words === undefined ? [] : [expect.stringMatching(words)]);
  });

  test.each<[Partial<Facts>, RegExp]>([
    [cluster({ isCordoned: true }), /hpc is cordoned/],
    [cluster({}, { node: failed("forbidden", 403) }), /the node cannot be read/],
    [cluster({}, { credentialsExpire: "2026-01-20T00:00:00.000Z" }), /certificate ends 2026/],
  ])("a warning is none of its problems", (facts, words) => {
    const found = told(facts).filter((one) => !one.startsWith("ok"));
    expect(found).toEqual([expect.stringMatching(words)]);
    expect(found[0]).toMatch(/^warning/);
  });
});

test("every problem and warning says what to do", () => {
  const facts = {
    configuration: { problems: ["f:1: wrong"], notices: ["f:2: X is ignored"] },
    site: { address: SITE, contact: failed("ECONNREFUSED") },
  };
  expect(told(facts).filter((one) => one.includes("nothing to do"))).toEqual([]);
  expect(showFindings(checkFacts({ now: NOW, files: [], ...facts }))).toBe(
    [
      "problem  configuration: f:1: wrong",
      "         → Correct the file; interlink config explain says what may stand there.",
      "warning  configuration: f:2: X is ignored",
      "         → Nothing has to be done; leave it out to hear no more of it.",
      `problem  site: nothing listens at ${SITE}: the API server is down, or the port is wrong`,
      "         → Start it there (interlink server), or correct the address: --site, or InterlinkURL and InterlinkPort.",
      "",
      "2 problems, 1 warning.",
      "",
    ].join("\n"),
  );
});

test("status shows each hop in a block, and draws nothing that others said", () => {
  const facts: Facts = {
    now: NOW,
    files: [],
    token: { file: "/t", content: { ok: true, value: { empty: false, expires: NOW } } },
    site: { ...GOOD, ping: { ok: false, code: "refused", message: "down\u001B[2J\nnow" } },
    cluster: {
      server: "https://k:6443",
      version: { ok: true, value: "v1.30.0" },
      nodeName: "hpc",
      node: { ok: true, value: { ready: "True", capacity: { cpu: "8" }, isCordoned: false } },
      pods: { ok: true, value: { Running: 2, Failed: 1 } },
      warnings: { ok: true, value: [{ when: NOW, about: "a/b", message: "Failed: no image" }] },
    },
  };
  expect(showStatus(facts)).toBe(`cluster https://k:6443
  Kubernetes  v1.30.0

node hpc
  ready          True
  site           not told
  version        not told
  last heard of  not told
  capacity       cpu 8
  pods           Running 2, Failed 1
  warning        ${NOW} a/b: Failed: no image

API server ${SITE}
  state     reached
  version   interlink-server (plugin-docker 0.1.0)
  resource  NOT REACHED: down [2J now (refused)
  token     /t; good until ${NOW}
`);
});
