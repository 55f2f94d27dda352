# psycopg2: everything by the simple protocol, with its own quoting of parameters.
import io, psycopg2, psycopg2.extras, psycopg2.extensions, datetime, decimal, uuid

def section(name):
    print("==", name)

conn = psycopg2.connect("")
cur = conn.cursor()
psycopg2.extras.register_uuid()

section("types")
cur.execute("select * from kinds order by id")
for row in cur.fetchall():
    print([bytes(v) if isinstance(v, memoryview) else v for v in row])
print([(d.name, d.type_code, d.internal_size) for d in cur.description if d.name not in ("m",)])
cur.execute("select %s, %s, %s, %s, %s::jsonb, %s", (decimal.Decimal("1.50"), datetime.date(2026, 1, 2), psycopg2.Binary(b"\0\1"), [1, 2], psycopg2.extras.Json({"a": [1]}), uuid.UUID(int=7)))
print([bytes(v) if isinstance(v, memoryview) else v for v in cur.fetchone()])
cur.execute("select %(a)s || %(b)s, E'it''s', $$dollar$$", {"a": "o'ne\\", "b": "ü"})
print(cur.fetchone())

section("transactions")
cur.execute("insert into orders (person, amount) values (1, 5) returning id > 0, amount")
print(cur.fetchone(), cur.rowcount, cur.statusmessage)
cur.execute("savepoint a")
try:
    cur.execute("insert into orders (person, amount) values (1, -1)")
except psycopg2.Error as e:
    print(e.pgcode, type(e).__name__, e.diag.constraint_name, e.diag.table_name)
cur.execute("rollback to a")
conn.rollback()
cur.execute("select count(*) from orders")
print(cur.fetchone())
conn.commit()
conn.set_session(isolation_level="SERIALIZABLE", readonly=True)
cur.execute("show transaction_isolation")
print(cur.fetchone(), conn.get_transaction_status())
try:
    cur.execute("delete from orders")
except psycopg2.Error as e:
    print(e.pgcode)
conn.rollback()
conn.set_session(isolation_level="DEFAULT", readonly=False)

section("batches")
psycopg2.extras.execute_values(cur, "insert into orders (person, amount, note) values %s", [(1 + i % 3, i, "v%d" % i) for i in range(250)], page_size=100)
print(cur.rowcount)
psycopg2.extras.execute_batch(cur, "update orders set note = %s where note = %s", [("w%d" % i, "v%d" % i) for i in range(50)])
cur.execute("select count(*) from orders where note like 'w%'")
print(cur.fetchone())
cur.executemany("delete from orders where note = %s", [("w%d" % i,) for i in range(50)])
conn.rollback()

section("COPY")
cur.copy_expert("copy orders (person, amount, note) from stdin with (format csv)", io.StringIO("1,2.5,one\n2,3.5,\"two, quoted\"\n"))
print(cur.rowcount)
out = io.StringIO()
cur.copy_expert("copy (select person, amount, note from orders where note like '%o%' and amount < 4 order by amount, note) to stdout with csv header", out)
print(out.getvalue().replace("\r", ""))
cur.copy_from(io.StringIO("3\t9.5\t\\N\n"), "orders", columns=("person", "amount", "note"))
out = io.BytesIO()
cur.copy_expert("copy (select id, t, by from kinds order by id) to stdout (format binary)", out)
print(out.getvalue())
conn.rollback()

section("server-side cursors")
with conn.cursor("named", cursor_factory=psycopg2.extras.RealDictCursor, scrollable=True) as named:
    named.itersize = 7
    named.execute("select id, amount from orders order by id")
    print(named.fetchone(), [dict(r)["id"] for r in named.fetchmany(3)])
    named.scroll(-2)
    print(named.fetchone())
    print(sum(r["amount"] for r in named))
conn.commit()

section("functions and procedures")
cur.callproc("add", (2, 3))
print(cur.fetchall())
cur.execute("call place(2, 7.5, null)")
print("GUARDED", cur.fetchone()[0] is None)
conn.rollback()
section("notices and notifications")
cur.execute("do $$ begin raise notice 'hello %', 1; raise warning 'careful' using detail = 'a detail'; end $$")
for notice in conn.notices:
    print("GUARDED", repr(notice))
conn.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
cur.execute("listen c")
cur.execute("notify c, 'payload'")
conn.poll()
print([(n.channel, n.pid == 0) for n in conn.notifies])
print("GUARDED", [n.payload for n in conn.notifies])
cur.execute("unlisten *")
conn.autocommit = False

section("session")
conn.set_client_encoding("UTF8")
print(conn.encoding, conn.server_version, conn.get_parameter_status("TimeZone"), conn.get_parameter_status("integer_datetimes"))
cur.execute("set local work_mem = '5MB'; show work_mem")
print(cur.fetchone())
conn.reset()
cur.execute("prepare p (int) as select $1 * 2")
cur.execute("execute p (21)")
print(cur.fetchone())
cur.execute("deallocate p")
cur.execute("select 1; select 2 as last")
print(cur.fetchall())
conn.commit()
conn2 = psycopg2.connect("", application_name="second")
conn2.cursor().execute("select 1")
xid = conn2.xid(1, "gtrid", "bqual")
conn2.close()

section("errors")
for text in ("select nonsense", "selec 1", "select 1/0", "select * from nowhere", "insert into people (id, name) values (1, 'x')", "select 'x'::int", "select add('a')"):
    try:
        cur.execute(text)
    except psycopg2.Error as e:
        print(e.pgcode, type(e).__name__, e.diag.message_primary, e.diag.statement_position, e.diag.message_hint)
    conn.rollback()

cur.execute("select name, email from people order by id")
for row in cur.fetchall():
    print("MASKED", row)
