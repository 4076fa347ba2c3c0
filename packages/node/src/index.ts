export type { RemoteListener, RemoteSite } from "./remote/remote-site.ts";
