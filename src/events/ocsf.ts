// The part of OCSF 1.8.0 that events of the record use: classes, activities, numbers and their words. Its own schema is public
// (github.com/ocsf/ocsf-schema); what our events must obey of it is checked by test (test: ocsf.test.ts).
import type { Json } from '../domain/entry.ts';

export type Fields = { readonly [key: string]: Json | undefined };

export const schemaVersion = '1.8.0';

/** Classes by our name: number, words, activities, and what an event of the class must have beside the base. */
export const classes = {
  log: {
    uid: 1008,
    category: 'System Activity',
    name: 'Event Log Activity',
    activities: { 2: 'Delete', 3: 'Export', 5: 'Rotate', 9: 'Enable' },
    required: ['log_name'],
  },
  compliance: {
    uid: 2003,
    category: 'Findings',
    name: 'Compliance Finding',
    activities: { 1: 'Create' },
    required: ['finding_info', 'compliance'],
  },
  detection: {
    uid: 2004,
    category: 'Findings',
    name: 'Detection Finding',
    activities: { 1: 'Create' },
    required: ['finding_info'],
  },
  authentication: {
    uid: 3002,
    category: 'Identity & Access Management',
    name: 'Authentication',
    activities: { 1: 'Logon', 2: 'Logoff' },
    required: ['user', 'service'],
  },
  authorization: {
    uid: 3003,
    category: 'Identity & Access Management',
    name: 'Authorize Session',
    activities: { 1: 'Assign Privileges' },
    required: ['user', 'privileges'],
  },
  entity: {
    uid: 3004,
    category: 'Identity & Access Management',
    name: 'Entity Management',
    activities: { 1: 'Create', 3: 'Update', 4: 'Delete', 10: 'Activate' },
    required: ['entity'],
  },
  ssh: {
    uid: 4007,
    category: 'Network Activity',
    name: 'SSH Activity',
    activities: { 1: 'Open', 6: 'Traffic' },
    required: ['src_endpoint', 'dst_endpoint'],
  },
  lifecycle: {
    uid: 6002,
    category: 'Application Activity',
    name: 'Application Lifecycle',
    activities: { 3: 'Start', 4: 'Stop', 99: 'Other' },
    required: ['app'],
  },
  api: {
    uid: 6003,
    category: 'Application Activity',
    name: 'API Activity',
    activities: { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete', 99: 'Other' },
    required: ['actor', 'api', 'src_endpoint'],
  },
  datastore: {
    uid: 6005,
    category: 'Application Activity',
    name: 'Datastore Activity',
    activities: {
      1: 'Read',
      2: 'Update',
      3: 'Connect',
      4: 'Query',
      5: 'Write',
      6: 'Create',
      7: 'Delete',
      8: 'List',
      99: 'Other',
    },
    required: ['actor', 'src_endpoint', 'database'],
  },
} as const;
export type ClassName = keyof typeof classes;

export const severities = { informational: 1, low: 2, medium: 3, high: 4, critical: 5 } as const;
export type Severity = keyof typeof severities;

const statuses = { success: [1, 'Success'], failure: [2, 'Failure'], other: [99, 'Other'] } as const;

/** What the gateway did about it: the profile "security_control". */
export const rulings = {
  allowed: { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' },
  approved: { action_id: 1, action: 'Allowed', disposition_id: 8, disposition: 'Approved' },
  masked: { action_id: 4, action: 'Modified', disposition_id: 99, disposition: 'Masked' },
  held: { action_id: 1, action: 'Allowed', disposition_id: 14, disposition: 'Delayed' },
  blocked: { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' },
  rejected: { action_id: 2, action: 'Denied', disposition_id: 25, disposition: 'Rejected' },
  revoked: { action_id: 2, action: 'Denied', disposition_id: 24, disposition: 'Access Revoked' },
} as const;

/** What one entry says, before the parts that all events have. */
export interface Said {
  readonly of: ClassName;
  readonly activity: number;
  readonly severity?: Severity;
  readonly status?: keyof typeof statuses;
  readonly statusCode?: string;
  readonly statusDetail?: string;
  readonly message: string;
  /** Where the gateway decided something: what, and by which policies. */
  readonly ruling?: keyof typeof rulings;
  readonly alert?: boolean;
  /** Attributes of the class. */
  readonly attributes?: Fields;
  /** What OCSF has no place for; under `unmapped.countersign`. */
  readonly more?: Fields;
}

/** Class, activity, severity and status in numbers and words. */
export function classified(said: Said): Fields {
  const of = classes[said.of];
  const { category, name, uid } = of;
  const activity = (of.activities as Readonly<Record<number, string>>)[said.activity] ?? 'Other';
  const severity = said.severity ?? 'informational';
  const status = said.status && statuses[said.status];
  return {
    class_uid: uid,
    class_name: name,
    category_uid: Math.floor(uid / 1_000),
    category_name: category,
    activity_id: said.activity,
    activity_name: activity,
    type_uid: uid * 100 + said.activity,
    type_name: `${name}: ${activity}`,
    severity_id: severities[severity],
    severity: severity.charAt(0).toUpperCase() + severity.slice(1),
    ...(status ? { status_id: status[0], status: status[1] } : {}),
    ...(said.statusCode === undefined ? {} : { status_code: said.statusCode }),
    ...(said.statusDetail === undefined ? {} : { status_detail: said.statusDetail }),
    message: said.message,
    ...(said.ruling ? rulings[said.ruling] : {}),
    ...(said.alert ? { is_alert: true } : {}),
  };
}

/** Reading what a record holds, whatever it holds. */
export function fields(value: Json | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function strings(value: Json | undefined): string[] {
  return list(value).filter((one): one is string => typeof one === 'string');
}
