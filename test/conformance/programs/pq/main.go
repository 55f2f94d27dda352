// lib/pq behind database/sql: unnamed and named prepared statements, arrays, CopyIn, a listener of its own.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lib/pq"
)

func section(name string) { fmt.Println("==", name) }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func told(err error) string {
	var e *pq.Error
	if errors.As(err, &e) {
		return string(e.Code) + " " + e.Message + " " + e.Constraint + " " + e.Position
	}
	return fmt.Sprint(err)
}

func show(rows *sql.Rows, err error) {
	must(err)
	defer rows.Close()
	columns, _ := rows.Columns()
	for rows.Next() {
		values := make([]interface{}, len(columns))
		for i := range values {
			values[i] = new(interface{})
		}
		must(rows.Scan(values...))
		for i := range values {
			v := *(values[i].(*interface{}))
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			fmt.Print(columns[i], "=", v, " ")
		}
		fmt.Println()
	}
	must(rows.Err())
}

func main() {
	db, err := sql.Open("postgres", "")
	must(err)
	db.SetMaxOpenConns(3)

	section("types")
	show(db.Query("select * from kinds order by id"))
	show(db.Query("select $1::int, $2::text, $3::bytea, $4::timestamptz, $5::float8, $6::bool, $7::int[], $8::text[]", 1, "ü", []byte{0, 1}, time.Unix(0, 0).UTC(), 1.5, true, pq.Array([]int64{1, 2}), pq.Array([]string{"a b", "c"})))
	rows, err := db.Query("select * from kinds where false")
	must(err)
	types, _ := rows.ColumnTypes()
	for _, t := range types {
		fmt.Print(t.Name(), ":", t.DatabaseTypeName(), " ")
	}
	fmt.Println()
	must(rows.Close())

	section("prepared statements")
	st, err := db.Prepare("select id, amount from orders where id = $1")
	must(err)
	for i := 1; i < 8; i++ {
		show(st.Query(i))
	}
	must(st.Close())

	section("transactions")
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	must(err)
	result, err := tx.Exec("insert into orders (person, amount, note) values ($1, $2, 'pq'), (2, 3, 'pq')", 1, 2.5)
	must(err)
	n, _ := result.RowsAffected()
	fmt.Println(n)
	_, err = tx.Exec("savepoint a")
	must(err)
	_, err = tx.Exec("insert into orders (person, amount) values (1, $1)", -1)
	fmt.Println(told(err))
	_, err = tx.Exec("rollback to a")
	must(err)
	show(tx.Query("select count(*) from orders where note = 'pq'"))
	must(tx.Rollback())
	tx, err = db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	must(err)
	_, err = tx.Exec("delete from orders")
	fmt.Println(told(err))
	must(tx.Rollback())

	section("COPY")
	tx, err = db.Begin()
	must(err)
	in, err := tx.Prepare(pq.CopyIn("orders", "person", "amount", "note"))
	must(err)
	for i := 0; i < 500; i++ {
		_, err = in.Exec(1+i%3, i, "copied\t\\")
		must(err)
	}
	_, err = in.Exec()
	must(err)
	must(in.Close())
	show(tx.Query("select count(*), sum(amount), min(note) from orders where note like 'copied%'"))
	must(tx.Rollback())

	section("several statements and results")
	rows, err = db.Query("select 1 as a; select 'x' as b, 2 as c")
	must(err)
	for {
		columns, _ := rows.Columns()
		fmt.Println(columns, rows.Next())
		if !rows.NextResultSet() {
			break
		}
	}
	must(rows.Close())

	section("listener and cancel")
	var conninfo = ""
	listener := pq.NewListener(conninfo, 10*time.Millisecond, time.Second, nil)
	must(listener.Listen("c"))
	_, err = db.Exec("select pg_notify('c', 'payload')")
	must(err)
	select {
	case note := <-listener.Notify:
		fmt.Println(note.Channel)
		fmt.Println("GUARDED", note.Extra)
	case <-time.After(10 * time.Second):
		fmt.Println("nothing")
	}
	must(listener.Close())
	ctx, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	_, err = db.ExecContext(ctx, "select pg_sleep(30)")
	stop()
	fmt.Println(told(err))
	show(db.Query("select 'usable' as u"))

	section("errors")
	for _, text := range []string{"select nonsense", "selec 1", "select 1/0", "select * from nowhere", "insert into people (id, name) values (1, 'x')"} {
		_, err = db.Query(text)
		fmt.Println(told(err))
	}
	_, err = db.Query("select 1 / $1::int", 0)
	fmt.Println(told(err))

	rows, err = db.Query("select name, email from people where id > $1 order by id", 0)
	must(err)
	for rows.Next() {
		var name string
		var email sql.NullString
		must(rows.Scan(&name, &email))
		fmt.Println("MASKED", name, email.String)
	}
	must(db.Close())
}
