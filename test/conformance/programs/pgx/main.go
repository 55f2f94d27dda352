// pgx v4: statements described once and cached, binary formats, batches as pipelines, CopyFrom in binary form.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var ctx = context.Background()

func section(name string) { fmt.Println("==", name) }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func told(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return fmt.Sprint(e.Code, " ", e.Message, " ", e.ConstraintName, " ", e.Position)
	}
	return fmt.Sprint(err != nil)
}

func show(rows pgx.Rows, err error) {
	if err != nil {
		fmt.Println(told(err))
		return
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		must(err)
		fmt.Println(values...)
	}
	if rows.Err() != nil {
		fmt.Println(told(rows.Err()))
	} else {
		fmt.Println(rows.CommandTag())
	}
}

func main() {
	notices := []string{}
	config, err := pgx.ParseConfig("")
	must(err)
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message) }
	conn, err := pgx.ConnectConfig(ctx, config)
	must(err)

	section("types, binary and text")
	query := "select id, b, i2, i8, f4, f8, n::text, t, by, d, ts, j, a, ta, m::text, u::text, r::text from kinds order by id"
	show(conn.Query(ctx, query))
	show(conn.Query(ctx, query, pgx.QuerySimpleProtocol(true)))
	show(conn.Query(ctx, query, pgx.QueryResultFormats{pgx.TextFormatCode}))
	show(conn.Query(ctx, "select $1::int, $2::text, $3::bytea, $4::timestamptz, $5::float8, $6::bool, $7::int[], $8::jsonb", 1, "ü", []byte{0, 1}, time.Unix(0, 0).UTC(), 1.5, true, []int32{1, 2}, map[string]int{"a": 1}))
	show(conn.Query(ctx, "select $1::int + 1, 'it''s' || $2", pgx.QuerySimpleProtocol(true), 1, "o'ne\\"))

	section("prepared statements")
	description, err := conn.Prepare(ctx, "one", "select id, amount from orders where id = $1 and note is not null")
	must(err)
	fmt.Println(description.ParamOIDs, len(description.Fields), string(description.Fields[1].Name), description.Fields[1].DataTypeOID)
	for i := 1; i < 8; i++ {
		show(conn.Query(ctx, "one", i))
	}
	must(conn.Deallocate(ctx, "one"))
	show(conn.Query(ctx, "select * from orders where id = 1"))
	_, err = conn.Exec(ctx, "alter table orders add column extra int default 7")
	must(err)
	show(conn.Query(ctx, "select * from orders where id = 1"))
	show(conn.Query(ctx, "select * from orders where id = 1"))
	_, err = conn.Exec(ctx, "alter table orders drop column extra")
	must(err)
	show(conn.Query(ctx, "select * from orders where id = 1"))
	show(conn.Query(ctx, "select * from orders where id = 1"))

	section("batches")
	batch := &pgx.Batch{}
	for i := 0; i < 40; i++ {
		batch.Queue("select $1::int * 2", i)
	}
	batch.Queue("insert into orders (person, amount, note) values (1, $1, 'batch')", 5)
	batch.Queue("select count(*) from orders where note = 'batch'")
	results := conn.SendBatch(ctx, batch)
	sum := 0
	for i := 0; i < 40; i++ {
		var n int
		must(results.QueryRow().Scan(&n))
		sum += n
	}
	tag, err := results.Exec()
	must(err)
	var n int
	must(results.QueryRow().Scan(&n))
	fmt.Println(sum, tag, n)
	must(results.Close())
	batch = &pgx.Batch{}
	batch.Queue("insert into orders (person, amount, note) values (1, 6, 'batch')")
	batch.Queue("insert into orders (person, amount, note) values (1, -6, 'batch')")
	batch.Queue("select 1")
	results = conn.SendBatch(ctx, batch)
	for i := 0; i < 3; i++ {
		_, err = results.Exec()
		fmt.Println(told(err))
	}
	fmt.Println(told(results.Close()))
	show(conn.Query(ctx, "delete from orders where note = 'batch' returning amount"))

	section("transactions")
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	must(err)
	_, err = tx.Exec(ctx, "insert into orders (person, amount, note) values (1, 1, 'tx')")
	must(err)
	inner, err := tx.Begin(ctx)
	must(err)
	_, err = inner.Exec(ctx, "insert into orders (person, amount, note) values (1, $1, 'tx')", -1)
	fmt.Println(told(err))
	must(inner.Rollback(ctx))
	show(tx.Query(ctx, "select count(*) from orders where note = 'tx'"))
	must(tx.Rollback(ctx))
	fmt.Println(string(conn.PgConn().TxStatus()))

	section("COPY")
	rows := [][]interface{}{}
	for i := 0; i < 1000; i++ {
		rows = append(rows, []interface{}{int32(1 + i%3), "copied"})
	}
	copied, err := conn.CopyFrom(ctx, pgx.Identifier{"orders"}, []string{"person", "note"}, pgx.CopyFromRows(rows))
	must(err)
	fmt.Println(copied)
	var out bytes.Buffer
	tag, err = conn.PgConn().CopyTo(ctx, &out, "copy (select person, count(*) from orders where note = 'copied' group by 1 order by 1) to stdout csv")
	must(err)
	fmt.Println(tag, out.String())
	tag, err = conn.PgConn().CopyFrom(ctx, strings.NewReader("1\tx\n"), "copy orders (person, amount) from stdin")
	fmt.Println(tag, told(err))
	show(conn.Query(ctx, "delete from orders where note = 'copied'"))

	section("low level and several statements")
	all, err := conn.PgConn().Exec(ctx, "select 1 as a; select 'x' as b, null as c; update orders set note = note where id < 3").ReadAll()
	must(err)
	for _, r := range all {
		fmt.Println(r.CommandTag, len(r.FieldDescriptions), fmt.Sprintf("%s", r.Rows))
	}
	raw := conn.PgConn().ExecParams(ctx, "select $1::text, $2::int", [][]byte{[]byte("raw"), {0, 0, 0, 9}}, nil, []int16{0, 1}, []int16{1}).Read()
	fmt.Println(raw.Rows, raw.CommandTag, raw.Err)

	section("pool, notices, notifications, cancel")
	pool, err := pgxpool.Connect(ctx, "pool_max_conns=3")
	must(err)
	done := make(chan int)
	for i := 0; i < 20; i++ {
		go func(i int) {
			var n int
			must(pool.QueryRow(ctx, "select $1::int + 1", i).Scan(&n))
			done <- n
		}(i)
	}
	sum = 0
	for i := 0; i < 20; i++ {
		sum += <-done
	}
	fmt.Println(sum)
	_, err = conn.Exec(ctx, "do $$ begin raise notice 'hello'; end $$")
	must(err)
	fmt.Println("GUARDED", notices)
	_, err = conn.Exec(ctx, "listen c")
	must(err)
	_, err = pool.Exec(ctx, "notify c, 'payload'")
	must(err)
	note, err := conn.WaitForNotification(ctx)
	must(err)
	fmt.Println(note.Channel)
	fmt.Println("GUARDED", note.Payload)
	pool.Close()
	go func() {
		time.Sleep(300 * time.Millisecond)
		must(conn.PgConn().CancelRequest(ctx))
	}()
	show(conn.Query(ctx, "select pg_sleep(30)"))
	show(conn.Query(ctx, "select 'usable'"))

	section("errors")
	for _, text := range []string{"select nonsense", "selec 1", "select 1/0", "select * from nowhere", "insert into people (id, name) values (1, 'x')"} {
		show(conn.Query(ctx, text))
	}
	show(conn.Query(ctx, "select 1 / $1::int", 0))

	for _, mode := range []bool{false, true} {
		rows, err := conn.Query(ctx, "select name, email from people order by id", pgx.QuerySimpleProtocol(mode))
		must(err)
		for rows.Next() {
			values, _ := rows.Values()
			fmt.Println("MASKED", values)
		}
	}
	must(conn.Close(ctx))
}
