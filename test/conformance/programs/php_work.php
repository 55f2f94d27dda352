<?php
// PHP: PDO with prepared and emulated statements, and the pgsql functions with asynchronous queries and COPY.
function section($name) { echo "== $name\n"; }
function told($e) { return $e->getCode() . ' ' . preg_replace('/\s+/', ' ', $e->getMessage()); }
$pdo = new PDO('pgsql:dbname=' . getenv('PGDATABASE'), null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);

section('PDO: types and statements');
foreach ($pdo->query('select id, b, i2, i8, f4, f8, n, t, c, d, ti, ts, tz, iv, u, j, jb, a, ta, m, ip, r, x from kinds order by id', PDO::FETCH_ASSOC) as $row) echo json_encode($row), "\n";
$st = $pdo->prepare('select amount, note from orders where id = :id');
for ($i = 1; $i < 7; $i++) { $st->execute(['id' => $i]); echo json_encode($st->fetch(PDO::FETCH_NUM)), ' '; }
echo json_encode(array_intersect_key($st->getColumnMeta(0), ['native_type' => 1, 'name' => 1, 'table' => 1, 'pdo_type' => 1])), "\n";
$st = $pdo->prepare('select ?::int + 1, ?::text', [PDO::ATTR_EMULATE_PREPARES => true]);
$st->execute([1, "o'ne\\"]);
echo json_encode($st->fetchAll(PDO::FETCH_NUM)), "\n";
$st = $pdo->prepare('select ?::bool, ?::text', [PDO::PGSQL_ATTR_DISABLE_PREPARES => true]);
$st->bindValue(1, true, PDO::PARAM_BOOL);
$st->bindValue(2, null, PDO::PARAM_NULL);
$st->execute();
echo json_encode($st->fetchAll(PDO::FETCH_NUM)), "\n";

section('PDO: transactions and COPY');
$pdo->beginTransaction();
echo $pdo->exec("insert into orders (person, amount, note) values (1, 2, 'pdo')"), ' ', $pdo->lastInsertId() > 60 ? 1 : 0, "\n";
echo json_encode($pdo->pgsqlCopyFromArray('orders', ["1\t2\tpdo", "2\t3\tpdo"], "\t", '\\\\N', 'person, amount, note')), "\n";
echo json_encode($pdo->query("select count(*), sum(amount) from orders where note = 'pdo'")->fetch(PDO::FETCH_NUM)), "\n";
$lines = $pdo->pgsqlCopyToArray('orders', ';', 'none', 'person, amount');
echo count($lines), ' ', $lines[0];
$pdo->rollBack();
$st = $pdo->prepare('select id from orders order by id', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
$pdo->beginTransaction();
$st->execute();
echo json_encode([$st->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_ABS, 10), $st->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_NEXT), $st->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_LAST)]), "\n";
$st = null;
$pdo->commit();

section('PDO: errors');
foreach (['select nonsense', 'selec 1', 'select 1/0', 'select * from nowhere', 'insert into orders (person, amount) values (1, -1)'] as $sql) {
  try { $pdo->query($sql); } catch (PDOException $e) { echo told($e), "\n"; }
}

section('pgsql functions');
$c = pg_connect('');
$r = pg_query_params($c, 'select id, amount from orders where id < $1 order by id', [4]);
echo json_encode(pg_fetch_all($r)), ' ', pg_field_type($r, 1), ' ', pg_field_table($r, 0), ' ', pg_num_rows($r), "\n";
pg_prepare($c, 'p', 'select $1::int * 2');
for ($i = 0; $i < 4; $i++) echo pg_fetch_result(pg_execute($c, 'p', [$i]), 0, 0), ' ';
echo "\n";
pg_send_query($c, 'select 1; select 2; select 3');
while ($r = pg_get_result($c)) echo pg_fetch_result($r, 0, 0), ' ';
echo "\n";
echo json_encode(pg_insert($c, 'orders', ['person' => 1, 'amount' => '5', 'note' => 'pg_insert']) !== false), json_encode(pg_delete($c, 'orders', ['note' => 'pg_insert'])), "\n";
echo json_encode(pg_copy_from($c, 'orders (person, note)', ["1\tcopied\n"])), count(pg_copy_to($c, 'kinds (id, t)')), "\n";
pg_query($c, "delete from orders where note = 'copied'");
echo json_encode(array_map(fn($m) => [$m['type'], $m['len'], $m['not null'], $m['has default']], pg_meta_data($c, 'orders'))), "\n";
pg_query($c, "do $$ begin raise notice 'hello'; end $$");
echo 'GUARDED ', pg_last_notice($c), "\n";
pg_query($c, 'listen c');
pg_query($c, "notify c, 'payload'");
$n = pg_get_notify($c, PGSQL_ASSOC);
echo $n['message'], "\nGUARDED ", $n['payload'], "\n";
pg_send_query($c, 'select pg_sleep(30)');
usleep(300000);
echo json_encode(pg_cancel_query($c)), ' ', pg_fetch_result(pg_query($c, "select 'usable'"), 0, 0), "\n";

foreach ($pdo->query('select name, email from people order by id', PDO::FETCH_NUM) as $row) echo 'MASKED ', json_encode($row), "\n";
foreach (pg_copy_to($c, 'people (name, email)') as $line) echo 'MASKED ', $line;
