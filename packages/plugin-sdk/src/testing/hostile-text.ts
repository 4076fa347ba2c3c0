import fc from "fast-check";

/** What breaks quoting, word splitting, expansion, formats and readers of lines. */
const FRAGMENTS = [
  "'",
  '"',
  "`id`",
  "$(touch canary)",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's.
  "${HOME}",
  "$IFS",
  "$'\\x41'",
  "\\",
  "\\n",
  "\n",
  "\r\n",
  "\t",
  " ",
  "*",
  "?",
  "[a-z]",
  "~",
  "!",
  "{a,b}",
  ";",
  "|",
  "&",
  ">canary",
  "<",
  "#",
  "=",
  "-",
  "--",
  "%s%n",
  "\u0001",
  "\u007f",
  "\u001b[2J",
  "é",
  "😀",
  "\u2028",
  "\ufeff",
  "EOF",
  ".",
  "..",
];

/** Text without NULs that tries to be more than text. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...FRAGMENTS) },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 8 }) },
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join("").replaceAll("\0", ""));

const NAMES =
  "PATH IFS HOME LC_ALL LANG PWD OLDPWD SHLVL _ UID PPID BASH_ENV BASH_FUNC_x%% SHELLOPTS POSIXLY_CORRECT RANDOM SECONDS TZ il_name il_argv il_data a.b a-b 1 -u -- é x'y $(id)"
    .split(" ")
    .concat("a b");

/** Names of variables: legal ones, those that steer bash, and those that no shell can set. */
export const hostileName: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/),
  hostileText.map((text) => text.replaceAll("=", "") || "X"),
);
