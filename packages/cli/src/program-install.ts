import { type Command, Option } from "commander";
import type { CliContext } from "./cli-context.ts";
import type { InstallFlags } from "./commands/install.ts";
import type { TokenFlags } from "./commands/token.ts";

/** Adds the commands that set an installation up. */
export function addInstallCommands(program: Command, context: CliContext): void {
  program
    .command("install")
    .summary("write what a cluster and a site need: chart values, start script, units")
    .description(
      "Ask, or read a file, and write the values of the Helm chart, the Secret for the cluster, and the site's files: " +
        "configuration, start/stop script, systemd units, certificate. Nothing is sent anywhere.",
    )
    .option("--config <file>", "YAML, instead of questions; --init writes one to begin with")
    .option("--init <file>", "write a configuration to fill in, and end")
    .option("--out <directory>", "where everything is written", "interlink-install")
    .addOption(new Option("--output-dir <directory>", "the same as --out").hideHelp())
    .option("--force", "write over what is there; makes new secrets")
    .option("--check", "write nothing: does the site that was made so answer?")
    .addHelpText(
      "after",
      `
  interlink install --init site.yaml      a file to fill in
  interlink install --config site.yaml    writes interlink-install/, and says what to do with it
  interlink install --check               once the site runs
`,
    )
    .action(async (options: InstallFlags & { outputDir?: string }) => {
      const { install } = await import("./commands/install.ts");
      const { outputDir, ...flags } = options;
      await install({ ...flags, ...(outputDir === undefined ? {} : { out: outputDir }) }, context);
    });

  program
    .command("token")
    .summary("keep a bearer token of an OAuth issuer fresh in a file")
    .description(
      "Ask an OAuth 2.0 issuer for a bearer token again and again, and keep it in a file that `interlink node " +
        "--token-file` reads.",
    )
    .addOption(
      new Option("--token-url <url>", "token endpoint of the issuer").env("IAM_TOKEN_ENDPOINT"),
    )
    .addOption(new Option("--client-id <id>", "who asks").env("IAM_CLIENT_ID"))
    .addOption(
      new Option("--grant <how>", "by a refresh token, or as the client itself")
        .choices(["authorization_code", "client_credentials"])
        .default("authorization_code")
        .env("IAM_GRANT_TYPE"),
    )
    .option(
      "--secrets <directory>",
      "with the files client-secret and refresh-token (else: IAM_CLIENT_SECRET, IAM_REFRESH_TOKEN)",
    )
    .addOption(new Option("--audience <name>", "for whom the token is").env("IAM_VK_AUD"))
    .option("--scope <names>", "what it is good for, with spaces between")
    .addOption(new Option("--out <file>", "where the token is kept, mode 0600").env("TOKEN_PATH"))
    .option("--once", "get one token, and end")
    .addOption(
      new Option("--log-level <level>", "how much the log says")
        .choices(["debug", "info", "warn", "error", "silent"])
        .env("INTERLINK_LOG_LEVEL"),
    )
    .action(async (options: TokenFlags) => {
      const { token } = await import("./commands/token.ts");
      await token(options, context);
    });
}
