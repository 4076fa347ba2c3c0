/** What `interlink doctor` has to say about one thing. */
export interface Finding {
  level: "ok" | "warning" | "problem";
  /** Which part it is about: `site`, `token`, `node` … */
  part: string;
  /** One sentence. */
  what: string;
  /** What to do; always there with a problem. */
  next?: string;
}

export const ok = (part: string, what: string): Finding => ({ level: "ok", part, what });

export const warning = (part: string, what: string, next: string): Finding => ({
  level: "warning",
  part,
  what,
  next,
});

export const problem = (part: string, what: string, next: string): Finding => ({
  level: "problem",
  part,
  what,
  next,
});
