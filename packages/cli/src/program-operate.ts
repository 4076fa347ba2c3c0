import { type Command, Option } from "commander";
import type { CliContext } from "./cli-context.ts";
import { NODE_FILE } from "./config/places.ts";
import type { OperateFlags } from "./operate/gather.ts";

const WHAT = [
  "Without flags the configuration of `interlink node` says what to ask. On a site's machine, where there is none:",
  "",
  "  interlink doctor --no-cluster --site http://127.0.0.1:3000 --plugin unix:///run/interlink/plugin.sock",
  "",
  "The exit code is 1 when something is wrong.",
].join("\n");

/** Adds the commands for whoever keeps an installation running. */
export function addOperatingCommands(program: Command, context: CliContext): void {
  operating(program.command("status"))
    .summary("how every hop is now: cluster, node, API server, plugin")
    .description("Ask the cluster, the API server and the plugin how they are, and show it.")
    .action(async (options: OperateFlags) => {
      const { status } = await import("./commands/status.ts");
      await status(options, context);
    });
  operating(program.command("doctor"))
    .summary("what is wrong with an installation, and what to do")
    .description(
      "Look for the usual mistakes: wrong port, token refused, clocks apart, names of certificates, plugin down, " +
        "partition missing, files that others can read.",
    )
    .action(async (options: OperateFlags) => {
      const { doctor } = await import("./commands/doctor.ts");
      await doctor(options, context);
    });
}

function operating(command: Command): Command {
  return command
    .option("--config <file>", `the node's configuration (default: ${NODE_FILE}, if there)`)
    .option("--name <name>", "name of the Node object")
    .option("--site <url>", "the API server: http://, https:// or unix://")
    .option("--token-file <file>", "bearer token for the API server")
    .option("--site-ca <file>", "CA of its certificate (PEM)")
    .option("--plugin <url>", "the plugin, from the site's own machine: http:// or unix://")
    .option("--slurm <file>", "the Slurm plugin's configuration: are its partitions there?")
    .option("--kubeconfig <file>", "default: as for interlink node")
    .option("--context <name>", "context of the kubeconfig")
    .option("--no-cluster", "leave the cluster out")
    .addOption(
      new Option("-o, --output <how>", "json is for programs")
        .choices(["text", "json"])
        .default("text"),
    )
    .addHelpText("after", `\n${WHAT}\n`);
}
