/** The sample shop of the demo: small, deterministic, with columns that must not be seen. */
const first = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Radia', 'Leslie', 'Frances', 'Alan', 'Katherine'];
const last = ['Okafor', 'Lindqvist', 'Moreau', 'Tanaka', 'Alvarez', 'Novak', 'Haddad', 'Schmidt'];
const cities = ['Lagos', 'Malmö', 'Lyon', 'Osaka', 'Sevilla', 'Brno', 'Beirut', 'Köln'];

export interface Customer {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly card: string;
  readonly city: string;
}

/** Card numbers carry a right Luhn digit, so that detectors of card numbers would find them. */
function withLuhn(digits: string): string {
  let sum = 0;
  for (let index = digits.length - 1, double = true; index >= 0; index--, double = !double) {
    const digit = Number(digits[index]);
    sum += double ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return digits + String((10 - (sum % 10)) % 10);
}

export const customers: readonly Customer[] = Array.from({ length: 200 }, (_, index) => {
  const id = index + 1;
  const name = `${first[index % first.length]} ${last[(index * 3) % last.length]}`;
  return {
    id,
    name,
    email: `${name.toLowerCase().replace(' ', '.')}.${id}@mail.example`,
    phone: `+46 70 ${String(1000000 + ((id * 7919) % 8999999)).padStart(7, '0')}`,
    card: withLuhn(
      `4${String(100000000000 + id * 387420489)
        .slice(0, 12)
        .padStart(12, '0')}${String(id % 100).padStart(2, '0')}`,
    ),
    city: cities[(index * 5) % cities.length]!,
  };
});

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** SQL that builds the shop; run by the superuser on an empty database. */
export function shopSql(role: string): string {
  const rows = customers.map(
    (c) =>
      `(${c.id}, ${text(c.name)}, ${text(c.email)}, ${text(c.phone)}, ${text(c.card)}, ${text(c.city)}, now() - interval '${(c.id * 7) % 900} days')`,
  );
  return `
create table customers (
  id integer primary key, name text not null, email text not null unique, phone text, card text, city text not null, created timestamptz not null
);
comment on column customers.email is 'labelled pii.email in countersign.yaml';
insert into customers values ${rows.join(',\n')};
create table orders (
  id integer primary key, customer_id integer not null references customers, amount numeric(10,2) not null, status text not null, placed timestamptz not null
);
insert into orders
  select n, 1 + (n * 13) % 200, ((n * 7919) % 50000) / 100.0, (array['paid','shipped','cancelled'])[1 + n % 3], now() - (n % 400) * interval '1 day'
  from generate_series(1, 1000) n;
create table carts (id integer primary key, customer_id integer not null, abandoned boolean not null, updated timestamptz not null);
insert into carts select n, 1 + n % 200, n % 4 = 0, now() - (n % 90) * interval '1 day' from generate_series(1, 120) n;
create view customer_directory as select id, name, email as contact, city from customers;
grant select, insert, update, delete, truncate on customers, orders, carts to ${role};
grant select on customer_directory to ${role};
grant create, usage on schema public to ${role};
`;
}
