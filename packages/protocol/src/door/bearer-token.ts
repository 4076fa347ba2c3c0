/** Longer ones are refused unread. */
const MAX_HEADER_BYTES = 16_384;

/** The token in an `Authorization` header (RFC 6750, 2.1); `undefined` if there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || header.length > MAX_HEADER_BYTES) return undefined;
  return /^bearer +(\S+) *$/i.exec(header)?.[1];
}
