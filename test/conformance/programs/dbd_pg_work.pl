# DBD::Pg: placeholders of three styles, prepared at the server at the second run, COPY line by line, catalogue methods.
use strict; use warnings; use utf8;
use DBI; use DBD::Pg qw(:pg_types);
binmode STDOUT, ':utf8';
sub section { print "== $_[0]\n" }
sub row { join(' | ', map { !defined $_ ? 'NULL' : ref $_ ? '{' . row(@$_) . '}' : $_ } @_) }
my $db = DBI->connect('dbi:Pg:', undef, undef, { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, pg_enable_utf8 => 1 });

section('types');
print row(map { defined $_ && /[\x00-\x08]/ ? unpack('H*', $_) : $_ } @$_), "\n" for @{ $db->selectall_arrayref('select * from kinds order by id') };
my $st = $db->prepare('select ?::int, ?::text, ?::bytea, ?::int[], ?::numeric');
$st->bind_param(3, "\0\1", { pg_type => PG_BYTEA });
$st->execute(1, 'ü', "\0\1", [1, 2], 1.5);
print unpack('H*', $_->[2]), ' ', row(@$_[0, 1, 3, 4]), "\n" for @{ $st->fetchall_arrayref };
$st = $db->prepare('select id, amount, note from orders');
$st->execute;
print row(@{ $st->{NAME} }), ' ', row(@{ $st->{TYPE} }), ' ', row(@{ $st->{PRECISION} }), ' ', row(@{ $st->{NULLABLE} }), ' ', row(@{ $st->{pg_type} }), "\n";
$st->finish;

section('prepared statements');
for my $sql ('select amount from orders where id = ?', 'select amount from orders where id = $1', 'select amount from orders where id = :id') {
  my $s = $db->prepare($sql);
  for my $i (1 .. 4) { $sql =~ /:id/ ? do { $s->bind_param(':id', $i); $s->execute } : $s->execute($i); print row(@{ $s->fetchrow_arrayref }), ' ' }
  print $s->{pg_prepare_name} ne '' ? "named\n" : "unnamed\n";
}
$st = $db->prepare('select ?::int', { pg_server_prepare => 0 });
$st->execute(5); print row(@{ $st->fetchrow_arrayref }), "\n";

section('transactions');
$db->begin_work;
print $db->do('insert into orders (person, amount, note) values (?, ?, ?)', undef, 1, 2, 'dbd'), "\n";
$db->pg_savepoint('a');
eval { $db->do('insert into orders (person, amount) values (1, ?)', undef, -1) }; print $db->state, ' ', $db->errstr, "\n";
$db->pg_rollback_to('a');
print row($db->selectrow_array("select count(*) from orders where note = 'dbd'")), ' ', $db->last_insert_id(undef, undef, 'orders', undef) > 60 ? 1 : 0, ' ', $db->ping, "\n";
$db->rollback;

section('many rows');
$st = $db->prepare('insert into orders (person, amount, note) values (?, ?, ?)');
my @status;
print $st->execute_array({ ArrayTupleStatus => \@status }, [1, 2, 3], [4, 5, 6], 'array'), ' ', row(@status), "\n";
print $db->do("delete from orders where note = 'array'"), "\n";
print row(sort { $a <=> $b } keys %{ $db->selectall_hashref('select id, note from orders where id < 6', 'id') }), "\n";

section('COPY');
$db->do('copy orders (person, amount, note) from stdin');
$db->pg_putcopydata("1\t2\tcöpied\n2\t\\N\tcöpied\n");
print $db->pg_putcopyend, "\n";
$db->do("copy (select person, amount, note from orders where note = 'cöpied' order by 1) to stdout csv header");
my $line = ''; while ($db->pg_getcopydata(\$line) >= 0) { print $line }
$db->do("delete from orders where note = 'cöpied'");

section('catalogue methods');
print row(@$_), "\n" for @{ $db->table_info(undef, 'public', '%', 'TABLE')->fetchall_arrayref };
print row(@$_), "\n" for @{ $db->column_info(undef, 'public', 'orders', '%')->fetchall_arrayref };
print row(@$_), "\n" for @{ $db->primary_key_info(undef, 'public', 'orders')->fetchall_arrayref };
print row(@$_), "\n" for @{ $db->foreign_key_info(undef, 'public', 'people', undef, 'public', 'orders')->fetchall_arrayref };
print row(@$_), "\n" for @{ $db->statistics_info(undef, 'public', 'orders', 0, 1)->fetchall_arrayref };
print scalar(@{ $db->type_info_all }) > 10 ? "types\n" : "none\n";

section('asynchronous and cancel');
$st = $db->prepare('select pg_sleep(0.2), 7', { pg_async => 1 });
$st->execute; select(undef, undef, undef, 0.05) until $db->pg_ready; $st->pg_result; print row(($st->fetchrow_array)[1]), "\n";
$st = $db->prepare('select pg_sleep(30)', { pg_async => 1 });
$st->execute; select(undef, undef, undef, 0.3); print $st->pg_cancel ? "cancelled\n" : "late\n";
$db->do('listen c'); $db->do("notify c, 'payload'");
if (my $note = $db->pg_notifies) { print $note->[0], "\nGUARDED ", $note->[2], "\n" }

section('errors');
for my $sql ('select nonsense', 'selec 1', 'select 1/0', 'select * from nowhere', "insert into people (id, name) values (1, 'x')", "select 'x'::int") {
  eval { $db->selectall_arrayref($sql) }; print $db->state, ' ', $db->errstr, "\n";
}
print 'MASKED ', row(@$_), "\n" for @{ $db->selectall_arrayref('select name, email from people where id > ? order by id', undef, 0) };
$db->disconnect;
