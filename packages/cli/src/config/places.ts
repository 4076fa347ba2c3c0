/** Where the existing programs look for their files. */
export const NODE_FILE = "/etc/interlink/InterLinkConfig.yaml";
export const SERVER_FILE = "/etc/interlink/InterLinkConfig.yaml";
