/** Who there is in the demo: two people and two agents, as the identity provider knows them. */
export const people = {
  dana: { name: 'Dana Ferreira', email: 'dana@shop.example', groups: ['dba', 'engineering'], role: 'dba: may grant' },
  omar: {
    name: 'Omar Lind',
    email: 'omar@shop.example',
    groups: ['dba', 'auditors', 'engineering'],
    role: 'dba and auditor: owns migration-agent, may not grant for it',
  },
} as const;
export type PersonName = keyof typeof people;

export const agents = {
  'reporting-agent': { name: 'Reporting agent', owner: people.dana.email, groups: ['agents'] },
  'migration-agent': { name: 'Migration agent', owner: people.omar.email, groups: ['agents', 'migrations'] },
} as const;
export type AgentClient = keyof typeof agents;

export const isPerson = (name: string): name is PersonName => Object.hasOwn(people, name);
export const isAgent = (name: string): name is AgentClient => Object.hasOwn(agents, name);

/** Claims of a token for one of them; the demo's configuration maps them to a principal. */
export function claimsOf(name: string): Record<string, unknown> {
  if (isPerson(name)) {
    const { name: full, email, groups } = people[name];
    return { kind: 'human', name: full, email, email_verified: true, groups: [...groups] };
  }
  if (isAgent(name)) {
    const { name: full, owner, groups } = agents[name];
    return { kind: 'agent', name: full, owner, groups: [...groups] };
  }
  return {};
}
