/** For `catch`: a path that is not there is no error, and gives `undefined`. */
export function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
