/** A program of Slurm wrote what this plugin cannot read. Whoever meets it knows nothing, and must not guess. */
export class SlurmOutputError extends Error {
  override readonly name = "SlurmOutputError";

  constructor(program: string, what: string, text: string) {
    const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
    super(`${program} wrote ${what}: ${JSON.stringify(shown)}`);
  }
}
