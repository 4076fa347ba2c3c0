/**
 * Engines end a stream when these keys are typed; unless told otherwise, ctrl-p ctrl-q, of which they hold back the first,
 * although shells and editors use it. There is no "none" that all of them understand: a sequence that nobody types.
 */
export const NO_DETACH_KEYS = Array(4).fill("ctrl-^,ctrl-@").join(",");
