/** The configuration that docs/config.md shows; it loads (test: config/page). */
export const example = `# yaml-language-server: $schema=./countersign.schema.json
version: 1
gateway: { name: gw-a, origin: countersign.example.org/gw-a }
data: /var/lib/countersign
listeners:
  - protocol: postgres
    address: 0.0.0.0
    port: 6432
    tls: { cert: { file: tls/server.pem }, key: { file: tls/server.key } }
console:
  address: 0.0.0.0
  port: 8443
  url: https://countersign.example.org:8443
  tls: { cert: { file: tls/server.pem }, key: { file: tls/server.key } }
  signIn: { issuer: staff, clientId: countersign-console, clientSecret: { env: CONSOLE_CLIENT_SECRET } }
  viewers: [engineering, auditors]
  admins: [dba]
issuers:
  - name: staff
    issuer: https://login.example.org/realms/staff
    audience: countersign
    discovery: true
    principal: { kind: human, name: name, email: email, groups: [realm_access, roles] }
  - name: agents
    issuer: https://agents.example.org
    audience: countersign
    jwks: { file: agents.jwks.json }
    algorithms: [ES256]
    maxTokenAgeSeconds: 3600
    principal: { kind: { claim: kind, agent: [agent], service: [job] }, groups: groups, owner: owner, keep: [run_id] }
targets:
  - name: shop
    protocol: postgres
    host: db.internal.example.org
    database: shop
    databases: [shop, shop_archive]
    tls: { mode: verify-full, ca: { file: tls/db-ca.pem } }
    credential: { user: countersign, password: { file: secrets/shop.password } }
    labels:
      - { columns: public.customers.email, label: pii.email }
      - { columns: "*.*.card_number", label: pci.pan }
      - { type: citext, columns: crm.*.*, label: pii.email }
      - { comment: "@secret", label: secret }
masks:
  default: full
  pii.email: partial
  pii.birth: { method: date, to: year }
  pci.pan: token
  secret: "null"
policies: ./policies
approvals: { ttlSeconds: 900 }
`;
