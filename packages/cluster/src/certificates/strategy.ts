import type { CertificateSigningRequest } from "kubernetes-types/certificates/v1.js";
import { as } from "../api/object.ts";
import type { Writable } from "../pods/defaults.ts";
import type { Strategy } from "../resources/definition.ts";
import { readSigningRequest } from "./signing-rules.ts";

const signerName = /^[a-z0-9.-]+\.[a-z0-9.-]+\/[^/\s]+$/;

/** The spec says who asked, whatever the creator wrote, and never changes (pkg/registry/certificates). */
export const signingRequestStrategy: Strategy = {
  prepareForCreate: (object, { user, groups, uid }) => {
    const request = as<Writable<CertificateSigningRequest>>(object);
    request.spec = {
      ...request.spec,
      username: user,
      groups: [...groups],
      ...(uid === undefined ? {} : { uid }),
    };
    request.status = {};
  },
  validate: (object, errors) => {
    const { spec } = as<CertificateSigningRequest>(object);
    if (!signerName.test(spec.signerName ?? ""))
      errors.invalid(
        "spec.signerName",
        spec.signerName,
        "must be a fully qualified domain and path",
      );
    if ((spec.usages ?? []).length === 0) errors.required("spec.usages");
    try {
      readSigningRequest(spec.request ?? "");
    } catch {
      errors.invalid("spec.request", "<value>", "must be a PEM block of type CERTIFICATE REQUEST");
    }
  },
  prepareForUpdate: (object, old) => {
    object.spec = old.spec;
  },
};
