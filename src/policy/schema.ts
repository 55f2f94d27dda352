// The vocabulary that policies are validated against (DESIGN §4). policies/schema.cedarschema is its published copy, for
// editors and reviewers (test: policy/schema); the gateway validates against this one, so that no file can widen it.
import { actions } from '../domain/effect.ts';

/** Attributes of effects that policies can read, by type; an attribute that is not listed is invisible to them. */
export const effectAttributes: Readonly<Record<string, 'Bool' | 'Long' | 'String'>> = {
  all: 'Bool',
  anonymous: 'Bool',
  cascade: 'Bool',
  copies: 'Bool',
  definer: 'Bool',
  fired: 'Bool',
  fires: 'Bool',
  hasWhere: 'Bool',
  open: 'Bool',
  overBudget: 'Bool',
  partial: 'Bool',
  prepared: 'Bool',
  replace: 'Bool',
  revoke: 'Bool',
  role: 'Bool',
  system: 'Bool',
  temporary: 'Bool',
  unreadable: 'Bool',
  unresolved: 'Bool',
  unreviewed: 'Bool',
  channel: 'String',
  column: 'String',
  columns: 'String',
  command: 'String',
  extension: 'String',
  family: 'String',
  language: 'String',
  name: 'String',
  object: 'String',
  path: 'String',
  setting: 'String',
  to: 'String',
  estimatedRows: 'Long',
};

/** Action groups, for policies that speak of many actions at once. */
const groups: Readonly<Record<string, readonly string[]>> = {
  'sql:write': ['sql:insert', 'sql:update', 'sql:delete', 'sql:truncate'],
  'sql:ddl': ['sql:create', 'sql:alter', 'sql:drop', 'sql:truncate'],
};

/** Actions of a group, or the action itself; without a name, all there are. */
export function actionsIn(name?: string): readonly string[] {
  if (name === undefined) return actions;
  if (name === 'sql') return actions.filter((action) => action.startsWith('sql:'));
  return groups[name] ?? [name];
}

function action(name: string): string {
  const memberOf = Object.keys(groups).filter((group) => groups[group]!.includes(name));
  if (name.startsWith('sql:')) memberOf.unshift('sql');
  const parents = memberOf.length > 0 ? ` in [${memberOf.map((group) => `"${group}"`).join(', ')}]` : '';
  const resources =
    name === 'connect' || name === 'cancel'
      ? 'Target'
      : name === 'sql:reveal'
        ? 'Column'
        : 'Target, Schema, Relation, Column, Routine';
  return `action "${name}"${parents} appliesTo { principal: [Agent, Service, Human], resource: [${resources}], context: Circumstances };`;
}

/** Cedar schema text; validated strictly. */
export const cedarSchema = `// What Countersign policies can speak of. Published copy of the schema that the gateway validates against.

// Groups as the issuer names them.
entity Group;

// Principals are verified. Their id is "<issuer>|<subject>"; claims that configuration keeps are tags, each a set of strings.
entity Agent in [Group] { issuer: String, subject: String, owner?: String, email?: String, delegation: Set<String> } tags Set<String>;
entity Service in [Group] { issuer: String, subject: String, owner?: String, email?: String, delegation: Set<String> } tags Set<String>;
entity Human in [Group] { issuer: String, subject: String, owner?: String, email?: String, delegation: Set<String> } tags Set<String>;

// Resources. Ids: Target::"shop", Schema::"shop/public", Relation::"shop/public.orders", Column::"shop/public.orders.amount",
// Routine::"shop/public.refund". A name that is not letters, digits, _, $ or - stands in double quotes within the id.
entity Target { name: String };
entity Schema in [Target] { name: String };
entity Relation in [Schema, Target] { name: String, schema: String };
entity Column in [Relation, Schema, Target] { name: String, relation: String, schema: String, labels: Set<String> };
entity Routine in [Schema, Target] { name: String, schema: String };

// kind is connect, prepare, execute or cancel. Labels of a column include the broader ones: pii.email is also pii.
type Circumstances = {
  database: String, kind: String, unattended: Bool, time: datetime,
  ${Object.entries(effectAttributes)
    .map(([name, type]) => `${name}?: ${type}`)
    .join(', ')}
};

action "sql";
${Object.keys(groups)
  .map((group) => `action "${group}" in ["sql"];`)
  .join('\n')}
${actions.map(action).join('\n')}
`;
