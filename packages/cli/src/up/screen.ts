/** Where progress goes: a terminal with a live line at the bottom, or anything else with plain lines. */
export interface Screen {
  /** A finished line, above the live one. */
  print(line: string): void;
  /** What is going on right now; shown on a terminal only, until replaced. Empty: nothing. */
  busy(text: string): void;
  /** Bold on a terminal that shows colours. */
  strong(text: string): string;
  /** Muted on a terminal that shows colours. */
  faint(text: string): string;
  close(): void;
}

/** What a screen needs of `process.stdout`. */
export interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const CLEAR_LINE = "\r\u001B[2K";

/** `now` in milliseconds decides the seconds shown behind the live line. */
export function openScreen(
  output: Output,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number,
): Screen {
  const live = output.isTTY === true && env["TERM"] !== "dumb";
  const colour = live && !env["NO_COLOR"];
  const style = (code: number, text: string) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);
  let text = "";
  let since = now();
  let frame = 0;

  const draw = () => {
    if (!live || text === "") return;
    const seconds = Math.floor((now() - since) / 1_000);
    const line = `${FRAMES[frame % FRAMES.length]} ${text}${seconds > 0 ? ` ${seconds} s` : ""}`;
    output.write(`${CLEAR_LINE}${line.slice(0, Math.max(10, (output.columns || 80) - 1))}`);
  };
  const clear = () => {
    if (live && text !== "") output.write(CLEAR_LINE);
  };
  const timer = live
    ? setInterval(() => {
        frame++;
        draw();
      }, 100)
    : undefined;
  timer?.unref();

  return {
    print(line) {
      clear();
      output.write(`${line}\n`);
      draw();
    },
    busy(next) {
      if (next === text) return;
      clear();
      text = next;
      since = now();
      draw();
    },
    strong: (part) => style(1, part),
    faint: (part) => style(2, part),
    close() {
      clear();
      text = "";
      clearInterval(timer);
    },
  };
}
