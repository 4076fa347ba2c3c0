import type { CertificateSigningRequest } from "kubernetes-types/certificates/v1.js";
import { as, type KubeObject } from "../api/object.ts";
import type { Column } from "./column.ts";
import { ageColumn, nameColumn } from "./render.ts";

/** As kubectl prints it: `Pending`, `Approved,Issued`, `Denied` … (pkg/printers extractCSRStatus). */
function condition(object: KubeObject): string {
  const { status } = as<CertificateSigningRequest>(object);
  const types = new Set((status?.conditions ?? []).map(({ type }) => type));
  const words = [types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending"];
  if (types.has("Failed")) words.push("Failed");
  if (status?.certificate) words.push("Issued");
  return words.join(",");
}

export const signingRequestColumns: readonly Column[] = [
  nameColumn,
  ageColumn,
  {
    name: "SignerName",
    cell: (object) => as<CertificateSigningRequest>(object).spec.signerName,
  },
  {
    name: "Requestor",
    cell: (object) => as<CertificateSigningRequest>(object).spec.username ?? "",
  },
  { name: "Condition", cell: condition },
];
