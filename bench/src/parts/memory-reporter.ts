// For `node --expose-gc --import`: at SIGUSR2 the process collects its garbage and writes what it keeps, as a line of its log.
// Its level is that of information: no problem of the part.
process.on("SIGUSR2", () => {
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  // Again for what the first time has let go of.
  setImmediate(() => {
    collect?.();
    const { rss, heapUsed } = process.memoryUsage();
    process.stdout.write(`${JSON.stringify({ level: 30, collected: { rss, heapUsed } })}\n`);
  });
});
