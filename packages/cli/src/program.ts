import { Command, Option } from "commander";
import type { CliContext } from "./cli-context.ts";
import { NODE_FILE, SERVER_FILE } from "./config/places.ts";
import type { ConfigFlags, NodeFlags, PluginFlags, ServerFlags, UpFlags } from "./flags.ts";
import { addInstallCommands } from "./program-install.ts";
import { addOperatingCommands } from "./program-operate.ts";
import { readVersion } from "./version.ts";

const EXAMPLES = `
Examples:
  interlink up examples/hello.yaml          a whole system on this machine, and one pod in it
  interlink up --exit job.yaml              the same as a batch command: ends with the pod's exit code
  interlink node --name hpc --site http://127.0.0.1:3000
                                            a virtual node in the cluster of your kubeconfig
  interlink server --plugin unix:///run/interlink/plugin.sock
                                            the interLink API server at the site
  interlink plugin docker --listen unix:///run/interlink/plugin.sock --root /var/lib/interlink
                                            the plugin that runs pods on a Docker or Podman engine

How the parts hang together:
  Kubernetes <-> interlink node <-> interlink server <-> interlink plugin <-> containers`;

/** The command line. Commands load what they need only when they run, so that --help is quick. */
export function buildProgram(context: CliContext): Command {
  const program = new Command("interlink")
    .description("Run Kubernetes pods on anything that can run a container.")
    .version(readVersion(), "-V, --version", "print the version")
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "interlink: ")),
    })
    .addHelpText("after", EXAMPLES)
    .exitOverride();

  const logLevel = () =>
    new Option("--log-level <level>", "how much the log says")
      .choices(["debug", "info", "warn", "error", "silent"])
      .env("INTERLINK_LOG_LEVEL");

  program
    .command("up")
    .summary("a whole system on this machine: Kubernetes API, virtual node, API server, plugin")
    .description(
      "Start an embedded Kubernetes API, a virtual node, an interLink API server and a plugin in this one process, " +
        "apply the manifests, show what happens and stream the logs. The system stays up until Ctrl-C; " +
        "meanwhile any kubectl works with the KUBECONFIG that is printed.",
    )
    .argument("[manifest...]", "YAML or JSON files with Kubernetes objects; - is standard input")
    .addOption(
      new Option(
        "--plugin <name>",
        "where pods run; auto takes Docker if an engine answers, else processes",
      )
        .choices(["auto", "docker", "process"])
        .default("auto"),
    )
    .option(
      "--exit",
      "end when the pods and Jobs of the manifests have ended, with their exit code",
    )
    .option("--port <number>", "port of the Kubernetes API on 127.0.0.1 (0: any free one)", "0")
    .option("--name <name>", "name of this system, to have several at once", "default")
    .option(
      "--state-dir <directory>",
      "where pods' files and the kubeconfig are kept (default: ~/.local/state/interlink/NAME)",
    )
    .addOption(logLevel().default("silent"))
    .addHelpText(
      "after",
      "\nThe process plugin isolates nothing: a pod's command runs as you, on this machine.\n",
    )
    .action(async (manifests: string[], options: UpFlags) => {
      const { up } = await import("./commands/up.ts");
      await up(manifests, options, context);
    });

  program
    .command("node")
    .summary("a virtual node in a Kubernetes cluster")
    .description(
      "Register a virtual node and hand the pods that are scheduled to it to an interLink API server.",
    )
    .option("--config <file>", `YAML; flags go before it (default: ${NODE_FILE}, if there)`)
    .option("--name <name>", "name of the Node object")
    .option("--site <url>", "the interLink API server: http://, https:// or unix://")
    .option(
      "--kubeconfig <file>",
      "default: the ServiceAccount inside a pod, else KUBECONFIG, else ~/.kube/config",
    )
    .option("--context <name>", "context of the kubeconfig")
    .option(
      "--address <ip>",
      "where the cluster reaches this virtual node (default: an own address)",
    )
    .option("--kubelet-port <number>", "port of the kubelet API (0: any free one; default: 10250)")
    .addOption(
      new Option(
        "--serving-certificate <how>",
        "of the kubelet API: csr asks the cluster for one, to be approved; default: csr for system:node:NAME, " +
          "else self-signed",
      ).choices(["csr", "self-signed"]),
    )
    .option(
      "--kubelet-cert <file>",
      "a serving certificate of your own (PEM), read again and again",
    )
    .option("--kubelet-key <file>", "its key (PEM)")
    .option(
      "--certificate-dir <directory>",
      "where certificates of the cluster are kept over restarts " +
        "(default: ~/.local/state/interlink/nodes/NAME)",
    )
    .option(
      "--client-ca <file>",
      "CA of the clients of the kubelet API (PEM), read again and again; default: what the cluster publishes",
    )
    .option(
      "--api-address <host:port>",
      "the cluster's API as pods at the site reach it; default: the Service kubernetes",
    )
    .option("--label <key=value...>", "labels of the Node object")
    .option("--taint <key=value:effect...>", "taints of the Node object, besides interLink's own")
    .option("--no-default-taint", "leave interLink's own taint out, so that any pod may come here")
    .option("--cpu <quantity>", "capacity, unless the plugin tells it")
    .option("--memory <quantity>", "capacity, unless the plugin tells it")
    .option("--pods <number>", "capacity, unless the plugin tells it")
    .option(
      "--resource <name=quantity...>",
      "further capacity, for instance nvidia.com/gpu=4, unless the plugin tells it",
    )
    .option("--cordoned", "register unschedulable: no pod comes here until kubectl uncordon")
    .option(
      "--not-ready-after <seconds>",
      "NotReady when the site is silent for so long, so that its pods are evicted (default: never)",
    )
    .option(
      "--kube-api-qps <number>",
      "requests per second to the Kubernetes API (default: no limit)",
    )
    .option("--kube-api-burst <number>", "of them at once after a pause (default: twice as many)")
    .option("--event-qps <number>", "events per second (default: 50)")
    .option("--event-burst <number>", "of them at once after a pause (default: twice as many)")
    .option("--token-file <file>", "bearer token for the site, read again for every call")
    .option("--site-ca <file>", "CA of the site's certificate (PEM)")
    .addOption(logLevel())
    .action(async (options: NodeFlags) => {
      const { node } = await import("./commands/node.ts");
      await node(options, context);
    });

  program
    .command("server")
    .summary("the interLink API server at a site")
    .description("Take pods from virtual nodes and hand them to one plugin.")
    .option("--config <file>", `YAML; flags go before it (default: ${SERVER_FILE}, if there)`)
    .option("--plugin <url>", "the plugin: http:// or unix://")
    .option("--listen <address>", "host:port, or unix:///path (default: 127.0.0.1:3000)")
    .option("--socket-mode <mode>", "of the socket file (default: 0660)")
    .option(
      "--token-file <file>",
      "bearer tokens of those who may call, one a line, read again when it changes",
    )
    .option("--plugin-token-file <file>", "bearer token for the plugin, read again for every call")
    .option(
      "--allow-anonymous",
      "let anyone who reaches the address run pods (for trials, or behind a proxy that checks callers)",
    )
    .addOption(logLevel())
    .action(async (options: ServerFlags) => {
      const { server } = await import("./commands/server.ts");
      await server(options, context);
    });

  program
    .command("plugin")
    .summary("a plugin: runs the pods")
    .description("Serve one kind of resource to an interLink API server.")
    .addArgument(pluginArgument())
    .option("--listen <address>", "host:port, or unix:///path (default: 127.0.0.1:4000)")
    .option("--socket-mode <mode>", "of the socket file (default: 0600)")
    .option(
      "--token-file <file>",
      "bearer tokens of API servers that may call, one a line, read again when it changes",
    )
    .option("--tls-cert <file>", "serve HTTPS with this certificate (PEM)")
    .option("--tls-key <file>", "its key (PEM)")
    .option("--client-ca <file>", "want a certificate of this authority (PEM) from callers")
    .option(
      "--allowed-subject <name...>",
      "common names (api-1, api-*) of the certificates that may call (default: all of that authority)",
    )
    .option("--allow-anonymous", "let anyone who reaches the address run pods")
    .option("--root <directory>", "where the pods' files are kept; one plugin, one directory")
    .option(
      "--config <file>",
      "YAML, for docker and slurm: what the site offers; flags go before it",
    )
    .option(
      "--docker-host <address>",
      "the engine, for docker (default: DOCKER_HOST, else its usual socket)",
    )
    .option(
      "--instance <name>",
      "label that tells two plugins on one engine apart, for docker (default: from --root)",
    )
    .addOption(logLevel())
    .addHelpText(
      "after",
      "\nThe process plugin isolates nothing: a pod's command runs as you, on this machine.\n",
    )
    .action(async (name: "docker" | "process" | "slurm", options: PluginFlags) => {
      const { plugin } = await import("./commands/plugin.ts");
      await plugin(name, options, context);
    });

  const config = program
    .command("config")
    .summary("check a configuration file, or explain what may stand in it")
    .description(
      "Configuration files of `interlink node`, `interlink server` and `interlink plugin docker|slurm`.",
    );
  const role = () =>
    new Option("--for <role>", "whose configuration it is").choices([
      "node",
      "server",
      "docker",
      "slurm",
    ]);
  config
    .command("check")
    .summary("what is wrong in a file, with line and what is allowed")
    .description("Say what is wrong in a configuration file, with line and what is allowed.")
    .argument("<file>", "YAML")
    .addOption(role())
    .action(async (file: string, options: ConfigFlags) => {
      const { checkConfig } = await import("./commands/config.ts");
      await checkConfig(file, options, context);
    });
  config
    .command("explain")
    .summary("every key with its type, default, variable and meaning")
    .description("Show every key with its type, default, variable and meaning.")
    .addOption(role())
    .action(async (options: ConfigFlags) => {
      const { explainConfig } = await import("./commands/config.ts");
      await explainConfig(options, context);
    });

  addInstallCommands(program, context);
  addOperatingCommands(program, context);

  program
    .command("version")
    .summary("print the versions of interLink and Node")
    .description("Print the versions of interLink and Node")
    .action(() => {
      context.stdout.write(
        `interlink ${readVersion()} (node ${process.version}, ${process.platform}-${process.arch})\n`,
      );
    });

  program.showHelpAfterError("(interlink --help shows what there is)");
  for (const command of program.commands) {
    command
      .copyInheritedSettings(program)
      .showHelpAfterError(`(interlink ${command.name()} --help shows what there is)`);
  }
  return program;
}

function pluginArgument() {
  return new Command()
    .createArgument("<name>", "which plugin")
    .choices(["docker", "process", "slurm"]);
}
