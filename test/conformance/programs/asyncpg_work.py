# asyncpg: the extended protocol in binary throughout, with its own introspection of types.
import asyncio, asyncpg, datetime, decimal, io, os, uuid

def section(name):
    print("==", name)

async def main():
    conn = await asyncpg.connect(user=os.environ["PGUSER"])

    section("types")
    for row in await conn.fetch("select * from kinds order by id"):
        print(dict(row))
    values = [True, 2**40, 1.5, decimal.Decimal("1.25"), "ü", b"\0", datetime.date(2026, 1, 2), datetime.timedelta(1, 2), uuid.UUID(int=9), [1, None], "happy", (1, "x")]
    print(await conn.fetchrow("select $1::bool, $2::bigint, $3::float8, $4::numeric, $5::text, $6::bytea, $7::date, $8::interval, $9::uuid, $10::int[], $11::mood", *values[:11]))
    print(await conn.fetchval("select row(1, 'x'::text, null, 2.5::float8)"))
    print(await conn.fetchrow("select '[1,5)'::int4range, '{happy}'::mood[], point(1,2), '1010'::bit(4)"))

    section("introspection of new types")
    await conn.execute("create type pair as (a int, m mood); create domain positive as int check (value > 0); create table typed (p pair, q positive, ps pair[])")
    await conn.execute("insert into typed values ($1, $2, $3)", (1, "ok"), 5, [(2, "sad"), (3, None)])
    print(await conn.fetch("select * from typed"))
    await conn.set_type_codec("jsonb", encoder=str, decoder=lambda v: "decoded " + v, schema="pg_catalog")
    print(await conn.fetchval("select '{\"a\": 1}'::jsonb"))
    await conn.execute("drop table typed; drop domain positive; drop type pair")

    section("prepared statements")
    statement = await conn.prepare("select amount, note from orders where id = $1")
    print(statement.get_parameters(), statement.get_attributes(), [await statement.fetchval(i) for i in range(1, 6)])
    print(type(await statement.explain(1)).__name__)
    for i in range(5):
        assert await conn.fetchval("select $1::int + 1", i) == i + 1
    await conn.execute("alter table orders add column extra int")
    try:
        print(await conn.fetchrow("select * from orders where id = 1"))
    finally:
        await conn.execute("alter table orders drop column extra")
    print(await conn.fetchrow("select * from orders where id = 1"))

    section("transactions")
    async with conn.transaction(isolation="serializable"):
        await conn.execute("insert into orders (person, amount) values (1, 2)")
        try:
            async with conn.transaction():
                await conn.execute("insert into orders (person, amount) values (1, $1)", decimal.Decimal(-1))
        except asyncpg.CheckViolationError as e:
            print(e.sqlstate, e.constraint_name)
        print(await conn.fetchval("select count(*) from orders"))
        await conn.execute("delete from orders where amount = 2 and note is null")

    section("executemany")
    await conn.executemany("insert into orders (person, amount, note) values ($1, $2, $3)", [(1, decimal.Decimal(i), "many") for i in range(500)])
    print(await conn.execute("delete from orders where note = 'many'"))
    try:
        await conn.executemany("insert into orders (person, amount, note) values ($1, $2, $3)", [(1, decimal.Decimal(i), "many") for i in (1, 2, -3, 4)])
    except asyncpg.CheckViolationError as e:
        print(e.sqlstate)
    print(await conn.fetchval("select count(*) from orders where note = 'many'"))

    section("cursors")
    async with conn.transaction():
        print([r["id"] async for r in conn.cursor("select id from orders order by id", prefetch=7)][:20])
        cursor = await conn.cursor("select id from orders where id > $1 order by id", 10)
        await cursor.forward(3)
        print(await cursor.fetchrow(), await cursor.fetch(4))

    section("COPY")
    print(await conn.copy_records_to_table("orders", records=[(1, decimal.Decimal("1.5"), "copied"), (2, None, "copied")], columns=["person", "amount", "note"]))
    print(await conn.copy_to_table("orders", source=io.BytesIO(b"3;9;copied\n"), columns=["person", "amount", "note"], delimiter=";"))
    out = io.BytesIO()
    print(await conn.copy_from_query("select person, amount, note from orders where note = $1 order by person", "copied", output=out, format="csv", header=True))
    print(out.getvalue())
    out = io.BytesIO()
    print(await conn.copy_from_table("kinds", columns=["id", "t"], output=out, format="binary"))
    print(out.getvalue())
    await conn.execute("delete from orders where note = 'copied'")

    section("notices, notifications and timeouts")
    notices = []
    conn.add_log_listener(lambda c, message: notices.append(message.message))
    await conn.execute("do $$ begin raise notice 'hello'; end $$")
    await asyncio.sleep(0)
    print("GUARDED", notices)
    got = asyncio.Queue()
    await conn.add_listener("c", lambda c, pid, channel, payload: got.put_nowait((channel, payload)))
    await conn.execute("notify c, 'payload'")
    channel, payload = await asyncio.wait_for(got.get(), 10)
    print(channel)
    print("GUARDED", payload)
    await conn.remove_listener("c", lambda *a: None)
    await conn.reset()
    try:
        await conn.fetch("select pg_sleep(30)", timeout=0.3)
    except asyncio.TimeoutError:
        print("cancelled")
    print(await conn.fetchval("select 'usable'"))

    section("errors")
    for text, args in (("select nonsense", ()), ("selec 1", ()), ("select 1 / $1::int", (0,)), ("select * from nowhere", ()), ("select 1; select $1::int", (1,))):
        try:
            await conn.fetch(text, *args)
        except asyncpg.PostgresError as e:
            print(e.sqlstate, type(e).__name__, e.message, e.position)

    section("pool")
    async with asyncpg.create_pool(user=os.environ["PGUSER"], min_size=2, max_size=4) as pool:
        async def one(i):
            async with pool.acquire() as c:
                return await c.fetchval("select $1::int * 2", i)
        print(await asyncio.gather(*[one(i) for i in range(20)]))

    for row in await conn.fetch("select name, email from people order by id"):
        print("MASKED", row)
    out = io.BytesIO()
    await conn.copy_from_table("people", columns=["name", "email"], output=out)
    print("MASKED", out.getvalue())
    await conn.close()

asyncio.run(main())
