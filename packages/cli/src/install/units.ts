/** A unit of systemd for the user's own manager: `~/.interlink` is what `site/` was copied to. */
const unit = (description: string, after: string, command: string): string => `[Unit]
Description=${description}
After=network-online.target${after}
Wants=network-online.target

[Service]
WorkingDirectory=%h/.interlink
ExecStart=/usr/bin/env interlink ${command}
Restart=on-failure
RestartSec=5
# Pods run on when it stops.
KillMode=process
UMask=0077
NoNewPrivileges=true

[Install]
WantedBy=default.target
`;

/** `interlink-plugin.service`. */
export function pluginUnit(kind: string, hasConfig: boolean): string {
  const config = hasConfig ? " --config %h/.interlink/plugin.yaml" : "";
  return unit(
    `interLink plugin (${kind})`,
    "",
    `plugin ${kind} --listen unix://%h/.interlink/plugin.sock --root %h/.interlink/data${config}`,
  );
}

/** `interlink-server.service`. */
export function serverUnit(): string {
  return unit(
    "interLink API server",
    " interlink-plugin.service",
    "server --config %h/.interlink/InterLinkConfig.yaml",
  );
}
