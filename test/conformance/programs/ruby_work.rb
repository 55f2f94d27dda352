# ruby-pg: type maps, binary results, COPY with encoders, single-row mode, and pipeline mode.
require 'pg'
def section(name) = puts("== #{name}")
c = PG.connect
c.type_map_for_results = PG::BasicTypeMapForResults.new(c)
c.field_name_type = :symbol

section 'types, text and binary'
query = 'select id, b, i2, i8, f4, f8, t, by, d, ts, a, ta from kinds order by id'
p c.exec(query).values
p c.exec_params(query, [], 1).map { |row| row.values_at(:id, :b, :i2, :i8, :f4, :f8, :t) }
p c.exec_params('select $1::int, $2::text, $3::int[]', [1, 'ü', '{1,2}']).to_a
result = c.exec('select id, amount from orders where id = 1')
p result.fields, result.ftype(1), result.fmod(1), result.ftablecol(1), result.cmd_status

section 'prepared statements'
c.prepare('p', 'select amount::float8 from orders where id = $1')
p (1..6).map { |i| c.exec_prepared('p', [i]).getvalue(0, 0) }
described = c.describe_prepared('p')
p described.nparams, described.paramtype(0), described.fields
c.exec('deallocate p')

section 'transactions'
begin
  c.transaction do
    c.exec("insert into orders (person, amount, note) values (1, 2, 'ruby')")
    c.exec('insert into orders (person, amount) values (1, -1)')
  end
rescue PG::CheckViolation => e
  p e.result.error_field(PG::PG_DIAG_SQLSTATE), e.result.error_field(PG::PG_DIAG_CONSTRAINT_NAME), c.transaction_status
end
p c.exec("select count(*) from orders where note = 'ruby'").getvalue(0, 0)

section 'COPY'
encoder = PG::TextEncoder::CopyRow.new
p c.copy_data("copy orders (person, amount, note) from stdin", encoder) { 200.times { |i| c.put_copy_data([(1 + i % 3).to_s, i.to_s, "ruby\t"]) } }.cmd_tuples
decoder = PG::TextDecoder::CopyRow.new
rows = []
c.copy_data("copy (select person, amount from orders where note like 'ruby%' and amount < 5 order by amount) to stdout", decoder) { while (row = c.get_copy_data) do rows << row end }
p rows, c.exec("delete from orders where note like 'ruby%'").cmd_tuples

section 'single rows and several results'
c.send_query('select id from orders order by id; select 7')
c.set_single_row_mode
sizes = []
while (r = c.get_result) do r.check; sizes << r.ntuples end
p sizes.sum, sizes.length

section 'pipeline mode'
line = PG.connect
line.enter_pipeline_mode
20.times { |i| line.send_query_params('select $1::int * 2', [i]) }
line.send_query_params('select 1/0', [])
line.send_query_params('select 3', [])
line.pipeline_sync
line.send_query_params('select 4', [])
line.pipeline_sync
said = []
loop do
  r = line.get_result
  if r.nil?
    r = line.get_result
    break if r.nil?
  end
  said << (r.result_status == PG::PGRES_TUPLES_OK ? r.getvalue(0, 0) : r.res_status(r.result_status))
  break if said.count('PGRES_PIPELINE_SYNC') == 2
end
p said
line.exit_pipeline_mode
line.close

section 'notices, notifications, cancel'
c.set_notice_processor { |m| puts "GUARDED #{m}" }
c.exec("do $$ begin raise notice 'hello'; end $$")
c.exec('listen c')
c.exec("notify c, 'payload'")
c.wait_for_notify(5) { |channel, _pid, payload| puts channel, "GUARDED #{payload}" }
c.send_query('select pg_sleep(30)')
sleep 0.3
c.cancel
begin
  c.get_last_result
rescue PG::QueryCanceled => e
  p e.class
end
p c.exec("select 'usable'").values

section 'errors'
['select nonsense', 'selec 1', 'select 1/0', 'select * from nowhere', "select 'x'::int"].each do |sql|
  c.exec(sql)
rescue PG::Error => e
  p e.class, e.message
end
c.exec('select name, email from people order by id').each_row { |row| puts "MASKED #{row}" }
c.exec_params('select name, email from people order by id', [], 1).each_row { |row| puts "MASKED #{row}" }
