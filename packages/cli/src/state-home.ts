import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where this user's programs keep what outlives them: `$XDG_STATE_HOME/interlink`, else `~/.local/state/interlink`
 * (XDG Base Directory Specification).
 */
export function stateHome(env: Readonly<Record<string, string | undefined>>): string {
  return join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "interlink");
}
