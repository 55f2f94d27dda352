# psqlODBC through pyodbc: parameters, catalogue functions, cursors declared behind the scenes.
import os, pyodbc, datetime, decimal
def section(name):
    print("==", name)
base = "Driver=%s;Servername=127.0.0.1;Port=%s;Database=%s;Uid=%s;Pwd=%s;SSLmode=verify-full;pqopt=sslrootcert=%s;" % (os.environ["ODBC_DRIVER"], os.environ["PGPORT"], os.environ["PGDATABASE"], os.environ["PGUSER"], os.environ["PGPASSWORD"], os.environ["PGSSLROOTCERT"])
c = pyodbc.connect(base)
cur = c.cursor()

section("types and parameters")
for row in cur.execute("select id, b, i2, i8, f4, f8, t, by, d, ti, ts, u, j, m from kinds order by id").fetchall():
    print(row)
for i in range(7):
    print(cur.execute("select ?::int, ?::text, ?::numeric, ?::date, ?::bytea", i, "ü", decimal.Decimal("1.5"), datetime.date(2026, 1, 2), b"\0\1").fetchone())
print(cur.description)

section("catalogue functions")
for rows in (cur.tables(schema="public"), cur.columns(table="orders"), cur.primaryKeys("orders"), cur.foreignKeys("people"), cur.statistics("orders"), cur.procedures(schema="public"), cur.procedureColumns(schema="public")):
    for row in rows.fetchall():
        print([v if not (isinstance(v, str) and "add_" in v) else "name" for v in row])
print(c.getinfo(pyodbc.SQL_DBMS_NAME), c.getinfo(pyodbc.SQL_DBMS_VER), c.getinfo(pyodbc.SQL_IDENTIFIER_QUOTE_CHAR))

section("transactions and batches")
cur.executemany("insert into orders (person, amount, note) values (?, ?, ?)", [(1, i, "odbc") for i in range(50)])
print(cur.execute("select count(*) from orders where note = 'odbc'").fetchval())
try:
    cur.execute("insert into orders (person, amount) values (1, ?)", -1)
except pyodbc.Error as e:
    print(e.args[0])
c.rollback()
print(cur.execute("select count(*) from orders where note = 'odbc'").fetchval())
c.commit()

section("declared cursors")
d = pyodbc.connect(base + "UseDeclareFetch=1;Fetch=7;")
print(sum(r[0] for r in d.cursor().execute("select id from orders where id > ? order by id", 5)))
print(len(d.cursor().execute("select id, t, by, d from kinds").fetchall()))
d.commit()
d.close()

section("errors")
for text in ("select nonsense", "selec 1", "select 1/0", "select * from nowhere"):
    try:
        cur.execute(text)
    except pyodbc.Error as e:
        print(e.args)
    c.rollback()
for row in cur.execute("select name, email from people order by id").fetchall():
    print("MASKED", row)
