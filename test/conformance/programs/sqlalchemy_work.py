# SQLAlchemy 1.4 over psycopg2: reflection of a whole schema, ORM with eager loading, DDL made from what was reflected.
import warnings
warnings.filterwarnings("ignore")
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.schema import CreateTable

def section(name):
    print("==", name)

engine = sa.create_engine("postgresql+psycopg2://", pool_size=2)

section("inspection")
inspector = sa.inspect(engine)
print(inspector.default_schema_name, inspector.get_schema_names(), inspector.get_table_names(), inspector.get_view_names(), inspector.get_sequence_names())
print(inspector.get_enums(), inspector.get_view_definition("totals"))
for table in inspector.get_table_names():
    print(table, [(c["name"], str(c["type"]), c["nullable"], c["default"], c.get("identity"), c.get("comment")) for c in inspector.get_columns(table)])
    print(inspector.get_pk_constraint(table), inspector.get_foreign_keys(table), inspector.get_unique_constraints(table), inspector.get_check_constraints(table))
    print(inspector.get_indexes(table), inspector.get_table_comment(table), inspector.get_table_options(table))

section("reflection")
metadata = sa.MetaData()
metadata.reflect(engine, views=True)
for table in metadata.sorted_tables:
    print([c.name for c in table.columns] if table.name == "kinds" else str(CreateTable(table).compile(engine)).strip())

section("DDL of a schema of its own")
own = sa.MetaData(schema="mine")
parent = sa.Table("parent", own, sa.Column("id", sa.Integer, sa.Identity(), primary_key=True), sa.Column("kind", sa.Enum("a", "b", name="kind", schema="mine")), sa.Column("data", sa.JSON), comment="made by SQLAlchemy")
child = sa.Table("child", own, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("parent", sa.ForeignKey(parent.c.id, ondelete="cascade"), index=True), sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()))
with engine.begin() as conn:
    conn.execute(sa.schema.CreateSchema("mine"))
    own.create_all(conn)
    print(conn.execute(parent.insert().values(kind="a", data={"x": [1]}).returning(parent.c.id, parent.c.kind, parent.c.data)).fetchall())
    conn.execute(child.insert(), [{"id": i, "parent": 1} for i in range(20)])
    print(conn.execute(sa.select(sa.func.count()).select_from(child.join(parent))).scalar(), sa.inspect(conn).has_table("child", schema="mine"))
    own.drop_all(conn)
    conn.execute(sa.schema.DropSchema("mine"))

section("ORM")
Base = automap_base()
Base.prepare(engine, reflect=True)
Person, Order = Base.classes.people, Base.classes.orders
with orm.Session(engine) as session:
    for person in session.query(Person).options(orm.selectinload(Person.orders_collection), orm.defer(Person.email)).order_by(Person.id):
        print(person.name, len(person.orders_collection), sum(o.amount for o in person.orders_collection))
    new = Person(name="New", city="Lyon")
    new.orders_collection = [Order(amount=i, note="orm") for i in range(5)]
    session.add(new)
    session.flush()
    print(new.id > 0, session.query(Order).filter(Order.note == "orm").count())
    with session.begin_nested() as nested:
        session.query(Order).filter(Order.note == "orm").delete()
        nested.rollback()
    print(session.query(sa.func.sum(Order.amount)).filter(Order.note == "orm").scalar())
    session.rollback()

section("streaming")
with engine.connect().execution_options(stream_results=True, max_row_buffer=10) as conn:
    print(sum(row[0] for row in conn.execute(sa.text("select id from orders order by id"))))

with engine.connect() as conn:
    for row in conn.execute(sa.select(metadata.tables["people"]).order_by(sa.text("id"))):
        print("MASKED", row)
engine.dispose()
