#!/usr/bin/env node
// The installed command. Written so that any Node can read it: one that is too old shall say so in a sentence.
var version = process.versions.node.split(".").map(Number);
if (version[0] > 20 || (version[0] === 20 && version[1] >= 19)) {
  import("../dist/main.js").catch((error) => {
    var unbuilt = error.code === "ERR_MODULE_NOT_FOUND" && /dist.main\.js/.test(error.message);
    process.stderr.write(
      unbuilt ? "interlink: not built yet: run npm run build first.\n" : String(error.stack) + "\n",
    );
    process.exitCode = 1;
  });
} else {
  process.stderr.write(
    "interlink: Node 20.19 or newer is needed; this is " + process.version + ".\n",
  );
  process.exitCode = 1;
}
