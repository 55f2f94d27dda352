# pgcli without its terminal: the introspection behind its completions, and its way to run statements.
import os
from pgcli.pgexecute import PGExecute
from pgspecial.main import PGSpecial

def section(name):
    print("==", name)

e = PGExecute(os.environ["PGDATABASE"], os.environ["PGUSER"], os.environ["PGPASSWORD"], "127.0.0.1", os.environ["PGPORT"], None)

section("introspection")
print(e.search_path(), e.short_host, e.dbname == os.environ["PGDATABASE"], e.server_version[:2])
for name in ("schemata", "tables", "table_columns", "views", "view_columns", "foreignkeys"):
    print(name, list(getattr(e, name)()))
print([f for f in e.functions() if f.schema_name == "public"])
print(sum(1 for f in e.functions()) > 3000, len(list(e.datatypes())) > 0, len(list(e.databases())) > 0)
print(e.view_definition("totals"), e.function_definition("add"))

section("statements")
for text in ("select id, note from orders where id < 4 order by id", "insert into orders (person, amount, note) values (1, 1, 'pgcli')", "delete from orders where note = 'pgcli'", "begin; select 1; rollback", "\\d orders", "\\dt", "\\df", "\\dv+", "\\dn"):
    for title, rows, headers, status, sql, success, special in e.run(text, PGSpecial()):
        print(title, list(rows) if rows else rows, headers, status, success, special)
for _, rows, *_ in e.run("select name, email from people order by id"):
    for row in rows:
        print("MASKED", row)
