import { freePorts } from "../systems/free-ports.ts";
import type { Site } from "./site.ts";

/** A pod that serves a page. */
export interface WebServer extends AsyncDisposable {
  port: number;
  podIP: string;
}

/** Starts a pod that serves this text as `/index.html`; only pods of the Docker plugin have ports of their own. */
export async function webServer(site: Site, name: string, text: string): Promise<WebServer> {
  const [free = 0] = site.plugin !== "docker" ? await freePorts(1) : [8080];
  const files = "/www";
  await site.createPod(name, {
    command: `printf '%s' '${text}' > "${files}/index.html"; exec busybox httpd -f -p ${free} -h "${files}"`,
    spec: { volumes: [{ name: "www", emptyDir: {} }] },
    container: {
      ports: [{ containerPort: free }],
      volumeMounts: [{ name: "www", mountPath: "/www" }],
      readinessProbe: { httpGet: { path: "/index.html", port: free }, periodSeconds: 1 },
    },
  });
  const { status } = await site.podReady(name);
  return {
    port: free,
    podIP: status?.podIP ?? "",
    [Symbol.asyncDispose]: () => site.delete(name),
  };
}
