-- The shop that the cases beside the policies speak of. `countersign policy test` runs it on a throwaway server.
create table customers (id integer primary key, name text not null, email text not null, card text, city text not null);
create table orders (id integer primary key, customer_id integer references customers, status text, amount numeric(10, 2));
create table carts (id integer primary key, items jsonb);
create view directory as select id, upper(email) as address from customers;
create function refund(order_id integer) returns void language plpgsql as $$
begin
  execute 'update orders set status = ' || quote_literal('refunded') || ' where id = ' || order_id;
end $$;
create function settle() returns trigger language plpgsql as $$
begin
  update carts set items = null;
  return new;
end $$;
create table payments (id integer primary key, amount numeric(10, 2));
create trigger settle after insert on payments for each row execute function settle();
