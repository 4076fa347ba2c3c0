/** A configuration that cannot be used. The message has a line for each problem: where it is, and what is allowed. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** `syntax`: the file is no YAML. `invalid`: a key or a value of it, or of the environment, is not known or allowed. */
  readonly code: "syntax" | "invalid";

  constructor(code: ConfigError["code"], problems: readonly string[], options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.code = code;
  }
}
