import type { FastifyReply, FastifyRequest } from "fastify";
import type { Container, Pod } from "kubernetes-types/core/v1.js";
import type { KubeletBackend } from "./backend.ts";
import { KubeletError } from "./kubelet-error.ts";
import { type App, queryOf } from "./routes.ts";
import { type CommandOptions, commandOptions } from "./streams/command-options.ts";
import { type ServeParts, serveCommand } from "./streams/serve-command.ts";
import { servePortForward } from "./streams/serve-port-forward.ts";
import { requirePod, requireRunning } from "./streams/stream-target.ts";

export interface StreamRoutesOptions extends ServeParts {
  backend: KubeletBackend;
}

interface Target {
  namespace: string;
  pod: string;
  uid?: string;
  container?: string;
}

type Handler = (target: Target, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** `/exec`, `/attach`, `/portForward`: upgrades to SPDY/3.1 or a WebSocket; what is wrong is told before one. */
export function streamRoutes(app: App, options: StreamRoutesOptions): void {
  const { backend } = options;
  const route = (urls: readonly string[], handler: Handler): void => {
    for (const url of urls) {
      app.route({
        method: ["GET", "POST"],
        url,
        handler: async (request, reply) => {
          await handler(request.params as Target, request, reply);
          return reply;
        },
      });
    }
  };
  const processOf = ({ namespace, pod: name, uid, container = "" }: Target) => {
    const pod = backend.pod(namespace, name);
    requirePod(pod, uid);
    return { pod, container: requireRunning(pod, container) };
  };

  route(
    ["/exec/:namespace/:pod/:container", "/exec/:namespace/:pod/:uid/:container"],
    async (target, request, reply) => {
      const query = queryOf(request);
      const wanted = commandOptions(query);
      const { pod, container } = processOf(target);
      const command = query.getAll("command");
      if (command.length === 0) throw new KubeletError("bad-request", "you must specify a command");
      backend.requireOffer("exec");
      await serveCommand(options, request, reply, wanted, {
        begin: (signal, size) =>
          backend.exec(pod, container.name, command, { ...wanted, ...(size && { size }) }, signal),
        failure: "error executing command in container",
        pod,
      });
    },
  );

  route(
    ["/attach/:namespace/:pod/:container", "/attach/:namespace/:pod/:uid/:container"],
    async (target, request, reply) => {
      const wanted = commandOptions(queryOf(request));
      const { pod, container } = processOf(target);
      backend.requireOffer("attach");
      const asked = attachable(wanted, container);
      await serveCommand(options, request, reply, wanted, {
        begin: (signal) => backend.attach(pod, container.name, asked, signal),
        failure: "error attaching to container",
        pod,
      });
    },
  );

  route(
    ["/portForward/:namespace/:pod", "/portForward/:namespace/:pod/:uid"],
    async ({ namespace, pod: name, uid }, request, reply) => {
      const pod: Pod | undefined = backend.pod(namespace, name);
      requirePod(pod, uid);
      backend.requireOffer("port-forward");
      await servePortForward(options, request, reply, pod, (port, signal) =>
        backend.portForward(pod, port, signal),
      );
    },
  );
}

/** What the container was started with decides, not what the client believes (kubelet_pods.go, GetAttach). */
function attachable(wanted: CommandOptions, container: Container): CommandOptions {
  const tty = container.tty === true;
  return {
    stdin: wanted.stdin && container.stdin === true,
    stdout: wanted.stdout,
    stderr: wanted.stderr && !tty,
    tty,
  };
}
