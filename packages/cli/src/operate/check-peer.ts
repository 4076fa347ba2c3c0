import type { Answered, CertificateFacts, Contact, Failure, PeerFacts } from "./facts.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** Tokens and certificates are compared with a clock: what is off by more than this fails sooner or later. */
const MOST_SKEW_SECONDS = 30;
const SOON_DAYS = 14;

/** What the other side is to the person. */
export type PeerRole = "site" | "plugin";

const NAMES: Readonly<Record<PeerRole, string>> = { site: "the API server", plugin: "the plugin" };
const START: Readonly<Record<PeerRole, string>> = {
  site: "Start it there (interlink server), or correct the address: --site, or InterlinkURL and InterlinkPort.",
  plugin:
    "Start it (interlink plugin), or correct the address: --plugin, or SidecarURL and SidecarPort of the API server.",
};

/** Everything about an API server or a plugin. `now`: ISO 8601. */
export function checkPeer(role: PeerRole, facts: PeerFacts, now: string): Finding[] {
  const { address, contact } = facts;
  if (!contact.ok) return [unreached(role, address, contact)];
  return [
    ...checkClock(role, contact.value),
    ...checkCertificate(role, contact.value.certificate, now),
    ...checkIdentity(role, facts),
    ...(facts.ping === undefined ? [] : checkPing(role, facts.ping)),
  ];
}

/** Why there is no connection, by the code of the system or of TLS. */
function unreached(role: PeerRole, address: string, { code, message }: Failure): Finding {
  const name = NAMES[role];
  switch (code) {
    case "ECONNREFUSED":
      return problem(
        role,
        `nothing listens at ${address}: ${name} is down, or the port is wrong`,
        START[role],
      );
    case "ENOENT":
      return problem(
        role,
        `there is no socket ${address}: ${name} is down, or the path is wrong`,
        START[role],
      );
    case "EACCES":
      return problem(
        role,
        `this user may not open ${address}`,
        "Run this as the user of the node, or let its group use the socket (chgrp, chmod 660).",
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return problem(
        role,
        `the name in ${address} is not known here`,
        "Look for a typing error, and whether this machine's DNS knows it (getent hosts NAME).",
      );
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return problem(
        role,
        `no answer from ${address} (${code})`,
        "A firewall drops the connection, or the address is wrong: try from here with curl -v, and ask who runs the network.",
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return problem(
        role,
        `the certificate at ${address} is for another name: ${message}`,
        "Use a name that is in the certificate, or have one made for this name (subjectAltName).",
      );
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return problem(
        role,
        `the certificate at ${address} is not valid now (${code})`,
        "Renew it at the site; if it should be valid, compare the clocks of both machines (date -u).",
      );
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return problem(
        role,
        `the certificate at ${address} is of an authority that is not known here (${code})`,
        "Name its authority: --site-ca FILE, or HTTP.CaCert in the configuration.",
      );
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return problem(
        role,
        `${address} does not speak TLS as https does`,
        "If it has no TLS, write http://; if it has, the port is another program's.",
      );
    case "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED":
    case "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA":
      return problem(
        role,
        `${name} wants another client certificate (${code})`,
        "Give one that its authority signed: TLS.CertFile and TLS.KeyFile, with TLS.Enabled.",
      );
    case "ECONNRESET":
    case "EPIPE":
      return problem(
        role,
        `${address} closed the connection without an answer`,
        "If it has TLS, write https://; else look into its log.",
      );
    default:
      if (code.startsWith("HPE_")) {
        return problem(
          role,
          `what listens at ${address} does not speak HTTP`,
          "The port is another program's; if the API server has TLS, write https://.",
        );
      }
      return problem(
        role,
        `${name} at ${address} cannot be reached: ${message} (${code})`,
        START[role],
      );
  }
}

function checkClock(role: PeerRole, { clockAheadSeconds: ahead }: Contact): Finding[] {
  if (ahead === undefined) return [];
  const off = Math.abs(ahead);
  if (off <= MOST_SKEW_SECONDS) return [];
  return [
    problem(
      role,
      `the clock of ${NAMES[role]} is ${off} s ${ahead > 0 ? "ahead of" : "behind"} this machine's`,
      "Set the wrong one by NTP (timedatectl set-ntp true): tokens and certificates are refused otherwise.",
    ),
  ];
}

function checkCertificate(
  role: PeerRole,
  certificate: CertificateFacts | undefined,
  now: string,
): Finding[] {
  if (certificate === undefined) return [];
  const days = Math.floor((Date.parse(certificate.notAfter) - Date.parse(now)) / 86_400_000);
  if (days > SOON_DAYS) return [];
  return days < 0
    ? [problem(role, `its certificate ended ${certificate.notAfter}`, "Renew it at the site.")]
    : [
        warning(
          role,
          `its certificate ends ${certificate.notAfter}`,
          "Renew it at the site in time.",
        ),
      ];
}

function checkIdentity(role: PeerRole, { address, capabilities, contact }: PeerFacts): Finding[] {
  if (capabilities === undefined) return [];
  if (!capabilities.ok) return refusals(role, address, capabilities);
  const { value } = capabilities;
  if (value === undefined) {
    const status = contact.ok ? contact.value.httpStatus : 0;
    return [
      ok(
        role,
        `${address} speaks the base protocol, as the existing programs do (HTTP ${status} for /healthz)`,
      ),
    ];
  }
  const isPlugin = value.agent.startsWith("plugin-");
  if (role === "site" && isPlugin) {
    return [
      problem(
        role,
        `${address} is a plugin (${value.agent}), not an API server`,
        "Give the API server's port (InterlinkPort, usually 3000) instead of the plugin's (SidecarPort, usually 4000).",
      ),
    ];
  }
  if (role === "plugin" && !isPlugin) {
    return [
      problem(
        role,
        `${address} is an API server (${value.agent}), not a plugin`,
        "Give the plugin's port (SidecarPort, usually 4000) instead of the API server's (InterlinkPort, usually 3000).",
      ),
    ];
  }
  return [ok(role, `${address} answers: ${value.agent}`)];
}

function checkPing(role: PeerRole, ping: Answered<unknown>): Finding[] {
  if (ping.ok)
    return [ok(role, role === "site" ? "its plugin answers" : "it answers for its resource")];
  // Said already.
  if (ping.httpStatus === 401 || ping.httpStatus === 403) return [];
  if (role === "site") {
    return [
      problem(
        role,
        `its plugin does not answer: ${ping.message}`,
        "At the site, start the plugin, and see that SidecarURL and SidecarPort (or --plugin) of the API server name it.",
      ),
    ];
  }
  return [
    problem(
      role,
      `it is up, but its resource is not: ${ping.message}`,
      "Look into its log; try the resource by hand (docker ps, sinfo).",
    ),
  ];
}

function refusals(role: PeerRole, address: string, failure: Failure): Finding[] {
  const { httpStatus, message, code } = failure;
  if (httpStatus === 401) {
    return [
      problem(
        role,
        `${NAMES[role]} refuses the token (HTTP 401): ${message}`,
        "Give a token that it knows: --token-file, or VKTokenFile. At the site it is a line of --token-file (TokenFile), or one of the OIDC issuer, for its audience, not expired.",
      ),
    ];
  }
  if (httpStatus === 403) {
    return [
      problem(
        role,
        `${NAMES[role]} knows the caller and does not let it in (HTTP 403): ${message}`,
        "At the site, add what the caller's token says to RequiredClaims, or give the caller another token.",
      ),
    ];
  }
  // The plugin's refusal, which the ping tells as well.
  if (role === "site" && (httpStatus === 502 || httpStatus === 504)) return [];
  return [
    problem(
      role,
      `what listens at ${address} does not answer as ${NAMES[role]} does: ${message} (${code})`,
      "The port is probably another program's. " + START[role],
    ),
  ];
}
