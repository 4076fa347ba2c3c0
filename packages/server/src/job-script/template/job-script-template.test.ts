import { emptyJobConfig, type RetrievedPodData } from "@interlink/protocol";
import fc from "fast-check";
import type { Container } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { createJobScriptTemplate } from "./job-script-template.ts";
import { TemplateError } from "./template-error.ts";

const containers: Container[] = [
  {
    name: "main",
    image: "docker://busybox",
    command: ["sh", "-c"],
    args: ["echo it's & done", "x"],
    env: [{ name: "A", value: "1" }, { name: "EMPTY" }],
    resources: { limits: { cpu: "1500m", memory: "2Gi", "nvidia.com/gpu": "2" } },
    ports: [{ containerPort: 80 }],
    securityContext: { runAsUser: 7 },
  },
  { name: "side", image: "alpine" },
];
const data: RetrievedPodData = {
  pod: {
    metadata: {
      name: "p",
      namespace: "ns",
      uid: "u-1",
      labels: { b: "2", a: "1" },
      annotations: { "slurm-job.vk.io/flags": "-p gpu" },
    },
    spec: {
      containers,
      volumes: [
        { name: "cfg", configMap: { name: "map" } },
        { name: "tmp", emptyDir: {} },
      ],
      restartPolicy: "Never",
    },
  },
  container: [
    {
      name: "main",
      configMaps: [{ metadata: { name: "map" }, data: { k: "v" } }],
      projectedvolumemaps: [],
      secrets: [{ metadata: { name: "s" }, data: { k: Buffer.from("hi").toString("base64") } }],
      emptyDirs: [],
    },
  ],
  jobConfig: emptyJobConfig(),
};

const script = (text: string, of: RetrievedPodData = data): string =>
  createJobScriptTemplate("job.tmpl", text).script(of);
const wrong = (text: string): string => {
  try {
    createJobScriptTemplate("job.tmpl", text);
  } catch (error) {
    expect(error).toBeInstanceOf(TemplateError);
    return (error as TemplateError).message;
  }
  throw new Error(`taken: ${text}`);
};

describe("the data has the names of Go's structs", () => {
  test.each([
    ["{{.Pod.Name}}/{{.Pod.ObjectMeta.Namespace}}/{{.Pod.UID}}", "p/ns/u-1"],
    [`{{index .Pod.Annotations "slurm-job.vk.io/flags"}}`, "-p gpu"],
    ["{{.Pod.Labels.a}}{{.Pod.Labels.missing}}", "1<no value>"],
    [`{{index .Pod.Labels "missing"}}|{{.Pod.Spec.NodeName}}|`, "||"],
    [
      "{{range .Pod.Spec.Containers}}{{.Name}}={{.Image}};{{end}}",
      "main=docker://busybox;side=alpine;",
    ],
    ["{{(index .Pod.Spec.Containers 0).Command}}", "[sh -c]"],
    ["{{range .Containers}}{{range .ConfigMaps}}{{.Name}}{{.Data}}{{end}}{{end}}", "mapmap[k:v]"],
    [
      `{{range .Containers}}{{range .Secrets}}{{printf "%s" .Data.k}} {{.Data.k}}{{end}}{{end}}`,
      "hi [104 105]",
    ],
    [
      "{{.JobScriptBuild.ApptainerOptions.Executable}}{{.JobScriptBuild.VolumesOptions.FuseSleepSeconds}}",
      "0",
    ],
    ["{{.JobScriptBuild.SingularityHub.MasterToken}}{{.JobScript}}", ""],
    [
      "{{range .Pod.Spec.Volumes}}{{.Name}}:{{with .ConfigMap}}{{.Name}}{{else}}-{{end}} {{end}}",
      "cfg:map tmp:- ",
    ],
    ["{{range .Pod.Spec.Volumes}}{{if .VolumeSource.EmptyDir}}{{.Name}}{{end}}{{end}}", "tmp"],
    ["{{range .Pod.Spec.Containers}}{{with .SecurityContext}}{{.RunAsUser}}{{end}}{{end}}", "7"],
    ["{{.Pod.Spec.TerminationGracePeriodSeconds}}", "<nil>"],
    ["{{with index .Pod.Spec.Containers 0}}{{(index .Ports 0).HostPort}}{{.TTY}}{{end}}", "0false"],
    [
      "{{range .Pod.Spec.Containers}}{{.Resources.Limits.Cpu}}/{{.Resources.Limits.Memory.Value}} {{end}}",
      "1500m/2147483648 0/0 ",
    ],
    [
      "{{range .Pod.Spec.Containers}}{{.Resources.Limits.Cpu.Value}}/{{.Resources.Limits.Cpu.MilliValue}} {{end}}",
      "2/1500 0/0 ",
    ],
    [`{{index (index .Pod.Spec.Containers 0).Resources.Limits "nvidia.com/gpu"}}`, "2"],
    [
      "{{range .Pod.Spec.Containers}}{{with .LivenessProbe}}{{.ProbeHandler.HTTPGet.Path}}{{end}}{{end}}",
      "",
    ],
    [
      "{{range .Pod.Spec.Containers}}{{range .Env}}{{.Name}}={{.Value}};{{end}}{{end}}",
      "A=1;EMPTY=;",
    ],
  ])("%s", (text, expected) => expect(script(text)).toBe(expected));
});

describe("the language is Go's", () => {
  test.each([
    ["a {{- 1 -}} b", "a1b"],
    ["a {{/* no */}} b{{- /* no */ -}} c", "a  bc"],
    ["{{-3}}", "-3"],
    ["{{if false}}1{{else if true}}2{{else}}3{{end}}", "2"],
    ["{{if and true 0}}1{{else}}2{{end}}{{or 0 `x`}}{{not 1}}", "2xfalse"],
    [
      `{{eq 1 2 1}}{{ne "a" "b"}}{{lt 1 2}}{{le 2 2}}{{gt 1 2}}{{ge 1 2}}{{lt 1.5 2}}`,
      "truetruetruetruefalsefalsetrue",
    ],
    ["{{range $i, $c := .Pod.Spec.Containers}}{{if $i}},{{end}}{{$c.Name}}{{end}}", "main,side"],
    ["{{range $k, $v := .Pod.Labels}}{{$k}}={{$v}} {{end}}", "a=1 b=2 "],
    ["{{range $i := 3}}{{$i}}{{end}}", "012"],
    ["{{range .Pod.Spec.InitContainers}}x{{else}}none{{end}}", "none"],
    [
      "{{range .Pod.Spec.Containers}}{{if eq .Name `side`}}{{continue}}{{end}}{{.Name}}{{break}}{{end}}",
      "main",
    ],
    ["{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{end}}{{$x}}", "2"],
    ["{{with $n := .Pod.Name}}{{$n}}{{.}}{{$.Pod.Namespace}}{{end}}", "ppns"],
    [`{{.Pod.Name | printf "%s-%s" "x" | len}}`, "3"],
    [`{{len .Pod.Spec.Containers}}{{len "ü"}}`, "22"],
    [`{{slice "abcd" 1 3}}{{slice "abcd" 2}}`, "bccd"],
    [`{{print 1 2 "a" "b" 3}}{{println "x" 1}}`, "1 2a b3x 1\n".replace("a b", "ab")],
    [
      `{{printf "%5d|%-5s|%05d|%+d|%q|%v|%t|%x|%X|%o|%b|%.2f|%%|%.1s" 42 "ab" -42 1 "a\\n" "v" true 255 255 8 5 1.5 "xy"}}`,
      `   42|ab   |-0042|+1|"a\\n"|v|true|ff|FF|10|101|1.50|%|x`,
    ],
    [`{{html "<a href='x'>&\\""}}`, "&lt;a href=&#39;x&#39;&gt;&amp;&#34;"],
    [`{{js "it's <b>\\n"}}`, "it\\'s \\u003Cb\\u003E\\u000A"],
    [`{{urlquery "a b&c!'"}}`, "a+b%26c%21%27"],
    [
      `{{range (index .Pod.Spec.Containers 0).Args}}{{shellquote .}} {{end}}`,
      "'echo it'\\''s & done' 'x' ",
    ],
    [
      "{{define `one`}}<{{.}}>{{end}}{{template `one` .Pod.Name}}{{block `two` 5}}[{{.}}]{{end}}",
      "<p>[5]",
    ],
    ["{{'a'}} {{0x1F}} {{1e3}} {{1_000}} {{017}} {{true}}", "97 31 1000 1000 15 true"],
    ['{{"}}"}}{{`{{`}}', "}}{{"],
    ["{{print 1.5 1e30 0.00001 1e6 123456.5}}", "1.5 1e+30 1e-05 1e+06 123456.5"],
    ["{{with .Pod.Spec.SecurityContext}}x{{else with .Pod.Name}}{{.}}{{end}}", "p"],
  ])("%s", (text, expected) => expect(script(text)).toBe(expected));
});

describe("what is wrong is told with its place before any pod comes", () => {
  test.each([
    ["a\n  {{.Pod.Nam}}", "job.tmpl:2:5: Pod has no field Nam; it has"],
    ["{{.Pod.uid}}", "job.tmpl:1:3: Pod has no field uid; write UID"],
    [
      "{{if true}}{{if false}}{{.Nope}}{{end}}{{end}}",
      "job.tmpl:1:26: RetrievedPodData has no field Nope",
    ],
    ["{{ .Pod.Name | upper }}", "job.tmpl:1:16: there is no function upper; there are and, or"],
    ["{{call .Pod}}", "there is no function call"],
    ["{{$x}}", "job.tmpl:1:3: there is no variable $x here"],
    ["{{if true}}{{$x := 1}}{{end}}{{$x}}", "there is no variable $x here"],
    ["{{$x = 1}}", "write := to make one"],
    ["{{if true}}", "job.tmpl:1:1: {{if}} without its {{end}}"],
    ["{{end}}", "{{end}} without a block"],
    ["{{else}}", "{{else}} without a block"],
    ["{{if 1}}{{else}}{{else}}{{end}}", "a second {{else}}"],
    ["{{if 1}}{{else range 2}}{{end}}", "after {{else"],
    ["x {{ .Pod.Name", "job.tmpl:1:3: this action is not closed"],
    ["{{/* x", "a comment is not closed"],
    [`{{"x}}`, "this text is not closed"],
    ['{{"\\q"}}', "this escape is not known"],
    ["{{'ab'}}", "one character"],
    ["{{}}", "job.tmpl:1:1: a value is missing"],
    ["{{if}}{{end}}", "a value is missing"],
    ["{{.Pod.Name .Pod.UID}}", "only a function takes arguments"],
    ["{{1 | .Pod.Name}}", "only a function may stand after |"],
    ["{{eq 1}}", "eq needs at least 2 arguments, not 1"],
    ["{{(len 1}}", "a parenthesis is not closed"],
    ["{{len 1)}}", "there is a ) too many"],
    ["{{range .Pod.Name}}{{end}}", "range cannot go over a string"],
    ["{{.Pod.Spec}}", "a whole PodSpec cannot be printed"],
    ["{{.Pod.Spec.Containers}}", "a whole Container cannot be printed"],
    ["{{break}}", "{{break}} outside of a range"],
    ["{{template `x`}}", "there is no template"],
    ["{{1.2.3}}", "put a space between two values"],
    ["{{ # }}", '"#" has no meaning'],
    ["{{99999999999999999999}}", "is no number, or too large"],
  ])("%s", (text, message) => expect(wrong(text)).toContain(message));
});

describe("what only shows with a pod is told with its place", () => {
  test.each([
    [
      "{{range .Pod.Spec.Containers}}{{.SecurityContext.RunAsUser}}{{end}}",
      "1:33: .RunAsUser of something that is not set",
    ],
    ["{{index .Pod.Spec.Containers 5}}", ""],
    ["{{(index .Pod.Spec.Containers 5).Name}}", "there is no element 5 in a list of 2"],
    [`{{lt .Pod.Name 1}}`, "a string cannot be compared with a int"],
    [`{{printf "%d" .Pod.Name}}`, "%d wants a whole number"],
    [`{{printf "%z" 1}}`, "is not supported"],
    ["{{define `a`}}{{template `a`}}{{end}}{{template `a`}}", "call each other without end"],
    ["{{range 100000}}{{range 100000}}x{{end}}{{end}}", "too many steps"],
    [`{{slice "abc" 2 1}}`, "2 is after 1"],
  ])("%s", (text, message) => {
    if (message === "") expect(wrong(text)).toContain("cannot be printed");
    else expect(() => script(text)).toThrow(message);
  });
});

test("a template is what it says, or an error of its own with a place, whatever the bytes", () => {
  const word = fc.constantFrom(
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "\n",
    ".Pod",
    ".Name",
    "$",
    "$x",
    ":=",
    "=",
    "|",
    "(",
    ")",
    ",",
    "if",
    "range",
    "with",
    "else",
    "end",
    "define",
    "block",
    "template",
    "break",
    '"a"',
    "`b`",
    "1",
    "-1",
    "1.5",
    "eq",
    "len",
    "index",
    "printf",
    "/*",
    "*/",
    "true",
    "nil",
    ".",
    "'c'",
    "\u{1F600}",
    "ä",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      const text = words.join("");
      try {
        expect(typeof script(text)).toBe("string");
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        const lines = text.split("\n");
        expect(error.line).toBeGreaterThanOrEqual(1);
        expect(error.line).toBeLessThanOrEqual(lines.length);
        expect(error.column).toBeLessThanOrEqual((lines[error.line - 1]?.length ?? 0) + 1);
      }
    }),
    { numRuns: 3000 },
  );
});

test("text without actions comes out as it is, and text between actions too", () => {
  const plain = fc.string({ unit: "binary" }).filter((text) => !text.includes("{"));
  fc.assert(
    fc.property(plain, plain, (before, after) => {
      expect(script(`${before}{{"x"}}${after}`)).toBe(`${before}x${after}`);
    }),
  );
});

test("any text can be written as a literal, and any value is one word of a shell", () => {
  const quoted = (text: string): string =>
    `"${Array.from(text)
      .map((char) => `\\U${(char.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`)
      .join("")}"`;
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(script(`{{${quoted(text)}}}`)).toBe(text);
      const word = script(`{{shellquote ${quoted(text)}}}`);
      expect(word.slice(1, -1).replaceAll("'\\''", "'")).toBe(text);
    }),
  );
});
