// node scripts/run.mjs NAME [arguments]: the door of every npm script. Written so that any Node can read it: one that is
// too old shall say so in a sentence, and not as a syntax error in a file that needs a newer one.
var version = process.versions.node.split(".").map(Number);
if (version[0] > 20 || (version[0] === 20 && version[1] >= 19)) {
  var name = process.argv.splice(2, 1)[0];
  // Whoever reads may have seen enough, as in `npm run systems -- status | head -1`: what was begun is brought to its end.
  process.stdout.on("error", (error) => {
    if (error.code !== "EPIPE") throw error;
  });
  import("./" + name + ".mjs").catch((error) => {
    process.stderr.write(String(error.stack) + "\n");
    process.exitCode = 1;
  });
} else {
  process.stderr.write("interLink needs Node 20.19 or newer; this is " + process.version + ".\n");
  process.exitCode = 1;
}
