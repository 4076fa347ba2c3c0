import type { KubeClient, KubeObject, RequestOptions } from "./client.ts";
import { isKubeError } from "./errors.ts";

/** Objects per page: parsing more at once stalls the event loop. */
const PAGE_SIZE = 500;

export interface ListSelector {
  fieldSelector?: string;
  labelSelector?: string;
}

export interface CompleteList<T> {
  items: T[];
  resourceVersion: string;
}

/**
 * Reads a whole collection, page by page.
 *
 * `resourceVersion`: `"0"` is any state that the server has at hand, perhaps stale; `""` is the newest; another is
 * "not older than". When a continue token runs out between pages (410), the list starts over from the newest state,
 * because half a list must never be taken for a whole one.
 */
export async function listAll<T extends KubeObject>(
  client: KubeClient,
  path: string,
  selector: ListSelector,
  resourceVersion: string,
  options: Pick<RequestOptions, "signal" | "timeoutMs"> = {},
): Promise<CompleteList<T>> {
  try {
    return await pages(client, path, selector, resourceVersion, options);
  } catch (error) {
    if (!(error instanceof PageExpired)) throw error;
    return pages(client, path, selector, "", options);
  }
}

async function pages<T extends KubeObject>(
  client: KubeClient,
  path: string,
  selector: ListSelector,
  resourceVersion: string,
  options: Pick<RequestOptions, "signal" | "timeoutMs">,
): Promise<CompleteList<T>> {
  const items: T[] = [];
  let next: string | undefined;
  for (;;) {
    const query = { ...selector, ...whichVersion(resourceVersion, next) };
    try {
      const page = await client.list<T>(path, { ...options, query });
      items.push(...page.items);
      next = page.metadata.continue;
      if (next === undefined || next === "")
        return { items, resourceVersion: page.metadata.resourceVersion ?? "" };
    } catch (error) {
      if (next !== undefined && isKubeError(error, "gone"))
        throw new PageExpired("the continue token expired", { cause: error });
      throw error;
    }
  }
}

/**
 * A limit would make "not older than" into "exactly" (client-go's reflector leaves it out for the same reason): a list
 * after a 410 would then give the forgotten version again, and its watch the next 410. Read from its cache, the server
 * gives no pages anyway.
 */
function whichVersion(resourceVersion: string, next: string | undefined): RequestOptions["query"] {
  // A continue token already says of which version it is; both together are an error.
  if (next !== undefined) return { limit: PAGE_SIZE, continue: next };
  if (resourceVersion === "") return { limit: PAGE_SIZE };
  if (resourceVersion === "0") return { limit: PAGE_SIZE, resourceVersion };
  return { resourceVersion, resourceVersionMatch: "NotOlderThan" };
}

class PageExpired extends Error {
  override readonly name = "PageExpired";
}
