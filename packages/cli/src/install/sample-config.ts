/** What `interlink install --init` writes: every key that most sites need, with its default. */
export const SAMPLE_CONFIG = `# For interlink install --config. Name or address at which the cluster reaches the site:
interlink_ip: site.example.org
interlink_port: 3000

# docker, slurm or process
plugin: docker

kubelet_node_name: my-site
kubernetes_namespace: interlink
# The image that you made with npm run image, and pushed to where the cluster pulls from:
# image: registry.example.org/interlink:0.1.0

# Capacity, unless the plugin tells it.
node_limits:
  cpu: "8"
  memory: 16Gi
  pods: "100"

# Without these a certificate is made for a year. Files at the site, and the authority's here:
# tls_cert: /etc/ssl/site.crt
# tls_key: /etc/ssl/site.key
# ca_cert: ca.crt

# Without this the node shows a token that is made now.
# oauth:
#   grant_type: authorization_code
#   issuer: https://iam.example.org/
#   token_url: https://iam.example.org/token
#   audience: interlink
#   client_id: my-site
#   client_secret: ""
#   refresh_token: ""
#   group: hpc
#   group_claim: groups
`;
