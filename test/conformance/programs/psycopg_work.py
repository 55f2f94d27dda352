# psycopg 3: the extended protocol, prepared after five runs, pipeline mode, binary results.
import asyncio, datetime, decimal, ipaddress, psycopg, uuid
from psycopg import sql
from psycopg.rows import dict_row, namedtuple_row
from psycopg.types.json import Jsonb

def section(name):
    print("==", name)

conn = psycopg.connect("")

section("types, text and binary")
for binary in (False, True):
    cur = conn.cursor(binary=binary)
    for row in cur.execute("select id, b, i2, i8, f4, f8, n, t, by, d, ti, ts, tz, iv, u, j, jb, a, ta, ip, r from kinds order by id").fetchall():
        print(row)
    values = (True, 1, 2**40, 1.5, decimal.Decimal("1.25"), "ü", b"\0", datetime.date(2026, 1, 2), datetime.timedelta(1, 2), uuid.UUID(int=9), [1, None], ["a"], Jsonb({"a": 1}), ipaddress.ip_address("10.1.2.3"), None)
    print(cur.execute("select " + ", ".join(["%s"] * len(values)), values).fetchone())
    print(cur.execute("select " + ", ".join(["%b"] * 6), values[:6]).fetchone())
conn.rollback()

section("prepared statements")
for i in range(8):
    print(conn.execute("select amount from orders where id = %s", (i + 1,)).fetchone(), end=" ")
print()
print(conn.execute("select count(*), max(from_sql::text) from pg_prepared_statements").fetchone())
conn.execute("alter table orders add column extra int default 5")
print(conn.execute("select * from orders where id = %s", (1,), prepare=True).fetchone())
conn.execute("alter table orders drop column extra")
print(conn.execute("select * from orders where id = %s", (1,), prepare=False).fetchone())
conn.rollback()

section("pipeline mode")
with conn.pipeline() as p:
    cursors = [conn.execute("select %s::int + 1", (i,)) for i in range(30)]
    p.sync()
    print(sum(c.fetchone()[0] for c in cursors))
    conn.execute("insert into orders (person, amount) values (1, %s)", (1,))
    rows = conn.execute("select count(*) from orders")
print(rows.fetchone())
try:
    with conn.pipeline() as p:
        first = conn.execute("select 1")
        broken = conn.execute("select 1/0")
        after = conn.execute("select 2")
except psycopg.Error as e:
    print(type(e).__name__, e.sqlstate)
conn.rollback()
with conn.pipeline():
    cur = conn.cursor()
    cur.executemany("insert into orders (person, amount) values (%s, %s) returning amount", [(1, i) for i in range(20)], returning=True)
    got = []
    while True:
        got.append(cur.fetchone()[0])
        if not cur.nextset():
            break
print(sum(got))
conn.rollback()

section("transactions")
with conn.transaction():
    conn.execute("insert into orders (person, amount) values (2, 3)")
    try:
        with conn.transaction():
            conn.execute("insert into orders (person, amount) values (99, 3)")
    except psycopg.errors.ForeignKeyViolation as e:
        print(e.sqlstate, e.diag.constraint_name)
    with conn.transaction(force_rollback=True):
        conn.execute("delete from orders")
    print(conn.execute("select count(*) from orders").fetchone(), conn.info.transaction_status.name)
    raise psycopg.Rollback()
print(conn.info.transaction_status.name)
conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
print(conn.execute("show transaction_isolation").fetchone())
conn.rollback()
conn.isolation_level = None

section("COPY, text and binary")
with conn.cursor() as cur:
    with cur.copy("copy orders (person, amount, note) from stdin") as copy:
        for i in range(1000):
            copy.write_row((1 + i % 3, i, "r\t%d" % i))
    print(cur.rowcount, cur.statusmessage)
    with cur.copy("copy orders (person, note) from stdin (format binary)") as copy:
        copy.set_types(["int4", "text"])
        for i in range(100):
            copy.write_row((1, "binary"))
    print(cur.execute("select count(*), sum(amount), min(note) from orders").fetchone())
    for form in ("text", "binary"):
        with cur.copy("copy (select id, amount, note from orders where id <= 5 order by id) to stdout (format %s)" % form) as copy:
            copy.set_types(["int8", "numeric", "text"])
            print(list(copy.rows()))
    try:
        with cur.copy("copy orders (person) from stdin") as copy:
            copy.write_row(("not a number",))
    except psycopg.Error as e:
        print(e.sqlstate)
    conn.rollback()
    try:
        with cur.copy("copy orders (person) from stdin") as copy:
            copy.write_row((1,))
            raise ValueError("the client gives up")
    except (ValueError, psycopg.Error) as e:
        print(type(e).__name__)
    conn.rollback()

section("server-side cursors")
with conn.cursor(name="side", row_factory=dict_row, scrollable=True) as side:
    side.execute("select id, amount from orders where id < %s order by id", (40,))
    print(side.fetchone(), side.fetchmany(3))
    side.scroll(10)
    print(side.fetchone(), len(side.fetchall()))
with conn.cursor(name="binary side", binary=True, row_factory=namedtuple_row) as side:
    side.execute("select id, placed from orders order by id")
    print(side.fetchmany(2))
conn.rollback()

section("composed SQL and rows")
table, column = sql.Identifier("orders"), sql.Identifier("amount")
query = sql.SQL("select {}, {} from {} order by id limit {}").format(column, sql.Literal("it's"), table, sql.Literal(2))
print(conn.execute(query).fetchall())
cur = conn.execute("select id, name from people order by id")
print([(d.name, d.type_code, d.display_size) for d in cur.description])
cur = conn.cursor().stream("select g from generate_series(1, 10) g")
print([r for r in cur])
conn.commit()

section("async, notifications and cancel")
async def work():
    async with await psycopg.AsyncConnection.connect("", autocommit=True) as a:
        await a.execute("listen c")
        conn.execute("select pg_notify('c', 'from afar')")
        conn.commit()
        async for note in a.notifies():
            print(note.channel)
            print("GUARDED", note.payload)
            break
    async with await psycopg.AsyncConnection.connect("") as a:
        task = asyncio.create_task(a.execute("select pg_sleep(30)"))
        await asyncio.sleep(0.3)
        a.cancel()
        try:
            await task
        except psycopg.errors.QueryCanceled as e:
            print(e.sqlstate)
asyncio.run(work())

section("errors")
for text in ("select nonsense", "selec 1", "select %s / 0", "select * from nowhere", "select 1; select %s"):
    try:
        conn.execute(text, (1,) if "%s" in text else None)
    except psycopg.Error as e:
        print(e.sqlstate, e.diag.message_primary, e.diag.statement_position)
    conn.rollback()

for binary in (False, True):
    for row in conn.cursor(binary=binary).execute("select name, email from people order by id").fetchall():
        print("MASKED", row)
with conn.cursor().copy("copy people (name, email) to stdout") as copy:
    for row in copy.rows():
        print("MASKED", row)
