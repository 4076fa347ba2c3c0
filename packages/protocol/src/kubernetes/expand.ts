/**
 * Kubernetes' `$(NAME)` expansion (third_party/forked/golang/expansion/expand.go), in one pass: `$$` is a dollar, `$(X)`
 * takes everything up to the first `)`, an unknown name and an unclosed `$(` stay as they are, results are not
 * expanded again. Shell forms (`$X`, `${X}`) mean nothing here. `lookup` answers `undefined` for an unknown name.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = "";
  let at = 0;
  for (;;) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0 || dollar === text.length - 1) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    const close = next === "(" ? text.indexOf(")", dollar + 2) : -1;
    if (next === "$") {
      out += "$";
      at = dollar + 2;
    } else if (close >= 0) {
      out += lookup(text.slice(dollar + 2, close)) ?? text.slice(dollar, close + 1);
      at = close + 1;
    } else {
      out += text.slice(dollar, dollar + 2);
      at = dollar + 2;
    }
  }
}
