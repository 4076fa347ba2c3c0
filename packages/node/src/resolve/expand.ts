/**
 * `$(NAME)` expansion as the kubelet does it (Kubernetes `third_party/forked/golang/expansion/expand.go`): `$$` is a
 * dollar sign, an unknown or unterminated reference stays as it is, one pass, results are not expanded again.
 * `lookup` answers `undefined` for an unknown name.
 */
export function expand(input: string, lookup: (name: string) => string | undefined): string {
  let result = "";
  let at = 0;
  while (at < input.length) {
    const dollar = input.indexOf("$", at);
    if (dollar < 0 || dollar === input.length - 1) return result + input.slice(at);
    result += input.slice(at, dollar);
    const next = input[dollar + 1];
    const close = next === "(" ? input.indexOf(")", dollar + 2) : -1;
    if (next === "$") {
      result += "$";
      at = dollar + 2;
    } else if (close >= 0) {
      const name = input.slice(dollar + 2, close);
      result += lookup(name) ?? `$(${name})`;
      at = close + 1;
    } else {
      result += `$${next}`;
      at = dollar + 2;
    }
  }
  return result;
}
