/** What the demo adds to the default guardrails: deletions in the shop wait for a person. */
export const demoPolicy = `// Added by the demo to the default guardrails beside this file.

// Agents do not drop or empty tables of the shop, whoever would agree to it.
@id("demo.no-drop")
@advice("Agents do not drop or empty tables here. Ask a person of the dba group to do it.")
forbid (principal is Agent, action in [Action::"sql:drop", Action::"sql:truncate"], resource)
unless { context has temporary && context.temporary };

// Deleting rows of the shop needs someone of the dba group, who is neither the agent nor its owner.
@id("demo.hold-delete")
@hold("dba")
@ttl("10m")
@advice("Deleting rows in the shop waits for a dba. Keep the connection open; the statement runs once it is granted.")
forbid (principal is Agent, action == Action::"sql:delete", resource)
unless { resource has name && resource.name == "carts" };

// Carts are short-lived, and so is the question: the request expires after three seconds.
@id("demo.hold-carts")
@hold("dba")
@ttl("3s")
@advice("Deleting carts waits for a dba for three seconds.")
forbid (principal is Agent, action == Action::"sql:delete", resource)
when { resource has name && resource.name == "carts" };

// Changing the schema needs more than a click: a signature by a key that checks who is there, such as a passkey.
@id("demo.sign-schema")
@hold("dba")
@signed("verified")
@advice("Changing a table waits for a dba who signs it. Keep the connection open; the statement runs once it is granted.")
forbid (principal is Agent, action == Action::"sql:alter", resource)
unless { context has temporary && context.temporary };
`;
