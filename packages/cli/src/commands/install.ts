import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError } from "@interlink/plugin-sdk";
import type { CliContext } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { type InstallSettings, readInstallConfig } from "../install/install-config.ts";
import { type InstallSecrets, installFiles } from "../install/install-files.ts";
import { askForConfig } from "../install/questions.ts";
import { SAMPLE_CONFIG } from "../install/sample-config.ts";
import { writeFiles } from "../install/write-files.ts";
import { neededFile } from "../needed-file.ts";
import { checkFacts } from "../operate/check-facts.ts";
import { gatherFacts } from "../operate/gather.ts";
import { showFindings } from "../operate/show-findings.ts";

/** The name of what was answered, where a configuration has that of its file. */
const ANSWERS = "your answers";

/** What `interlink install` was told. */
export interface InstallFlags {
  config?: string;
  init?: string;
  out: string;
  force?: boolean;
  check?: boolean;
}

/** `interlink install`: writes what a cluster and a site need, or looks whether the site that was made so answers. */
export async function install(flags: InstallFlags, context: CliContext): Promise<void> {
  const out = resolve(flags.out);
  if (flags.init !== undefined) return sample(flags.init, flags.force === true, context);
  if (flags.check === true) return check(out, context);
  const { stdout } = context;
  const text =
    flags.config === undefined
      ? await askForConfig(context.stdin(), stdout, { signal: context.signal, fault })
      : await neededFile(flags.config, "--config");
  const { value, notices } = read(flags.config ?? ANSWERS, text);
  for (const notice of notices) stdout.write(`${notice}\n`);
  const files = installFiles(value, await makeSecrets(value), out);
  await writeFiles(out, files, flags.force === true);
  for (const { path, mode } of files) {
    stdout.write(`${mode.toString(8).padStart(4, "0")}  ${join(out, path)}\n`);
  }
  stdout.write(next(value, out));
}

function read(name: string, text: string): ReturnType<typeof readInstallConfig> {
  try {
    return readInstallConfig({ file: { name, text }, env: {} });
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new CliError("usage", cause.message, { cause });
  }
}

/** What is wrong with answers, without the place, which nobody sees. */
function fault(text: string): string | undefined {
  try {
    readInstallConfig({ file: { name: ANSWERS, text }, env: {} });
    return undefined;
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    return cause.message.replace(new RegExp(`^${ANSWERS}(:\\d+)?: `, "gm"), "");
  }
}

/** A certificate for the site, unless it has one, and a token for the node, unless an issuer makes them. */
async function makeSecrets(settings: InstallSettings): Promise<InstallSecrets> {
  const { interlink_ip: host, ca_cert, tls_cert, oauth, kubelet_node_name: node } = settings;
  const token = oauth === undefined ? { token: randomBytes(32).toString("base64url") } : {};
  if (tls_cert !== undefined) {
    return { ...token, ...(ca_cert ? { ca: await neededFile(ca_cert, "ca_cert") } : {}) };
  }
  const { CertificateAuthority } = await import("@interlink/cluster");
  const now = Date.now();
  const authority = await CertificateAuthority.create(`interlink ${node}`, now);
  const made = await authority.issue({ commonName: host, hosts: [host] }, now);
  return {
    ...token,
    ca: authority.certificatePem,
    certificate: { cert: made.certificatePem, key: made.keyPem },
  };
}

async function sample(file: string, force: boolean, { stdout }: CliContext): Promise<void> {
  const path = resolve(file);
  await writeFiles("/", [{ path, content: SAMPLE_CONFIG, mode: 0o600 }], force);
  stdout.write(`Fill in ${path}, then: interlink install --config ${path}\n`);
}

/** The node's own configuration of the installation, asked from here. */
async function check(out: string, context: CliContext): Promise<void> {
  const { env, signal, stdout } = context;
  const config = join(out, "node.yaml");
  await readFile(config).catch((cause: unknown) => {
    throw new CliError("usage", `${config} is not there: give the --out of the installation.`, {
      cause,
    });
  });
  const facts = await gatherFacts(
    { config, cluster: false, output: "text" },
    { env, signal, now: Date.now },
  );
  const findings = checkFacts(facts);
  stdout.write(showFindings(findings));
  if (findings.some(({ level }) => level === "problem")) context.setExitCode(1);
}

function next(settings: InstallSettings, out: string): string {
  const { interlink_ip: host, kubelet_node_name: node, kubernetes_namespace: namespace } = settings;
  return `
At the site (${host}), where the command interlink is installed:
  scp -rp ${join(out, "site")} ${host}:.interlink
  ssh ${host} .interlink/interlink-remote.sh install
  ssh ${host} .interlink/interlink-remote.sh start
or by systemd: copy interlink-*.service to ~/.config/systemd/user, then
  systemctl --user enable --now interlink-plugin interlink-server && loginctl enable-linger

Whether it answers, from here:
  interlink install --check --out ${out}

In the cluster:
  kubectl create namespace ${namespace}
  kubectl apply -f ${join(out, "secret.yaml")}
  helm install ${node} deploy/chart -n ${namespace} -f ${join(out, "values.yaml")}
  kubectl get node ${node}
`;
}
