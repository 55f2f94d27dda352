// What nobody without the right may learn. Two worlds that differ in nothing but these values: what a client sees must not tell
// them apart. Rows sort the other way round in the second, and ranges and patterns that hold in one fail in the other.

const worldA = {
  ssn: '536909148',
  otherSsn: '702411385',
  email: 'quill.harvex@brackmoor.example',
  otherEmail: 'osprey.wynd@brackmoor.example',
  salary: '91827364',
  balance: '-6482019.37',
  phone: '447911246813579',
  born: '1971-03-17',
  seen: '1988-11-26 05:41:37',
  pin: 'Qx7Vb2',
  token: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  photo: 'Plumbago\u0001\u0002Jasperoid',
  alias: 'Kestrelmoor',
  hobby: 'Falconbrume',
  tag: 'Marlinspike',
  street: 'Zephyrquartz',
  doc: 'Quagmirely',
  score: '73.519284',
  ip: '203.113.97.241',
  patient: 'Ockerfield',
  chip: 'X9KJ7chip55',
  key: 'sk_live_Wq83Zr61Lp',
  card: '4929364718205531',
  message: 'Bramblewick',
  login: 'Ravensholme',
  diary: 'Copperglint',
} as const;

export type Secrets = Readonly<Record<keyof typeof worldA, string>>;

const worldB: Secrets = {
  ssn: '968640973',
  otherSsn: '385317204',
  email: 'heron.gill@thornquist.example',
  otherEmail: 'mossy.tarn@thornquist.example',
  salary: '40516273',
  balance: '2950718.64',
  phone: '431876520394817',
  born: '1964-09-02',
  seen: '1993-04-08 19:12:55',
  pin: 'Zk4Wn9',
  token: '1f0d2b84-93c6-4e57-a1d8-5b6c70e3924f',
  photo: 'Verdigris\u0003\u0004Malachite',
  alias: 'Oakenshaw',
  hobby: 'Lacewinger',
  tag: 'Grapplenet',
  street: 'Nordlichtweg',
  doc: 'Hollyhocks',
  score: '18.640275',
  ip: '198.51.88.176',
  patient: 'Saltmarsh',
  chip: 'B4TM2chip81',
  key: 'sk_live_Hd57Xm20Vt',
  card: '4556737586899855',
  message: 'Gooseberry',
  login: 'Wintermere',
  diary: 'Silverfrost',
};

/** `a` is where attacks run; `b` is the other world, for those that tell by what they do not say. */
export const worlds = { a: worldA as Secrets, b: worldB };
