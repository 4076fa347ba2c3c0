import { expect } from "vitest";
import { waitUntil } from "../systems/wait-until.ts";
import { lastLine, outputOf, readValues, STAY } from "./pod-helpers.ts";
import type { Group } from "./suite.ts";

const MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

interface Claims {
  aud: string | string[];
  exp: number;
  iat: number;
  sub: string;
  "kubernetes.io": {
    namespace: string;
    pod: { name: string; uid: string };
    serviceaccount: { name: string };
  };
}

/** Behaviour 76: tokens of service accounts. */
export const serviceAccounts: Group = (behaviour) => {
  behaviour(76, {}, async (site) => {
    await site.kubectl.run(["create", "serviceaccount", "mounted"]);
    const command = `cd ${MOUNT}; echo "files=$(ls | tr '\\n' ' ')"; echo "namespace=$(cat namespace)"; echo "ca=$(head -n 1 ca.crt)"; echo "token=$(cat token)"`;
    const values = readValues(
      await outputOf(site, "token-mounted", { command, spec: { serviceAccountName: "mounted" } }),
    );
    expect(values).toMatchObject({
      files: "ca.crt namespace token ",
      namespace: "default",
      ca: "-----BEGIN CERTIFICATE-----",
    });
    expect(await reviewed(values["token"] ?? "")).toBe("system:serviceaccount:default:mounted");

    const out = { serviceAccountName: "mounted", automountServiceAccountToken: false };
    const without = await outputOf(site, "token-opted-out", {
      command: `[ -e ${MOUNT} ] || echo none`,
      spec: out,
    });
    expect(without).toBe("none\n");
    await site.kubectl.run(["delete", "serviceaccount", "mounted"]);

    async function reviewed(token: string): Promise<string | undefined> {
      const input = JSON.stringify({
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token },
      });
      const made = await site.kubectl.run(["create", "-o", "json", "-f", "-"], { input });
      const { status } = JSON.parse(made) as { status?: { user?: { username?: string } } };
      return status?.user?.username;
    }
  });

  behaviour(76, {}, async (site) => {
    const name = "token-projected";
    const token = { path: "token", audience: "vault", expirationSeconds: 700 };
    await site.createPod(name, {
      command: `echo "token=$(cat /tokens/token)"; echo end; ${STAY}`,
      spec: {
        volumes: [{ name: "tokens", projected: { sources: [{ serviceAccountToken: token }] } }],
      },
      container: { volumeMounts: [{ name: "tokens", mountPath: "/tokens" }] },
    });
    const pod = await site.podReady(name);
    await lastLine(site, name, "end");
    const values = readValues(await site.logs(name));
    const [, payload = ""] = (values["token"] ?? "").split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims;
    expect([claims.aud].flat()).toEqual(["vault"]);
    expect(claims.exp - claims.iat).toBe(700);
    expect(claims.sub).toBe("system:serviceaccount:default:default");
    expect(claims["kubernetes.io"]).toMatchObject({
      namespace: "default",
      pod: { name, uid: pod.metadata?.uid },
      serviceaccount: { name: "default" },
    });
    await site.delete(name);
  });

  behaviour(76, {}, async (site) => {
    const namespace = "with-root";
    await site.kubectl.run(["create", "namespace", namespace]);
    const get = ["get", "configmap", "kube-root-ca.crt", "-n", namespace];
    const there = () =>
      waitUntil("the root certificate is there", async () => {
        const { code, stdout } = await site.kubectl.try([...get, "-o", "jsonpath={.data}"]);
        return code === 0 && stdout.includes("BEGIN CERTIFICATE");
      });
    await there();
    await site.kubectl.run(["delete", "configmap", "kube-root-ca.crt", "-n", namespace]);
    await there();
    await site.kubectl.run(["delete", "namespace", namespace, "--wait=false"]);
  });
};
