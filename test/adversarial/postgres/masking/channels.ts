// Cursors, COPY, prepared statements, pipelines, binary results and parameters (field notes 27, 33, 34, 41; the first product's probes).
import { say } from '../../../peers/raw-client.ts';
import { attacks } from '../attack.ts';

const all: readonly (0 | 1)[] = [1];
const run = (portal: string, limit = 0) => [say.execute(portal, limit)];

export const channels = attacks({
  'DECLARE and FETCH': ['begin', 'declare c cursor for select ssn from people', 'fetch all from c', 'commit'],
  'FETCH one by one': [
    'begin',
    'declare c cursor for select ssn, email from people',
    'fetch c',
    'fetch next from c',
    'commit',
  ],
  'a scrollable cursor': [
    'begin',
    'declare c scroll cursor for select ssn from people',
    'fetch last from c',
    'fetch first from c',
    'fetch absolute 1 from c',
    'fetch relative 0 from c',
    'commit',
  ],
  'a binary cursor': [
    'begin',
    'declare c binary cursor for select salary, ssn from people',
    'fetch all from c',
    'commit',
  ],
  'a cursor WITH HOLD': ['declare c cursor with hold for select ssn from people', 'fetch all from c', 'close c'],
  'MOVE, then FETCH': ['begin', 'declare c cursor for select ssn from people', 'move 1 in c', 'fetch c', 'commit'],
  'a cursor that a function opens': ['begin', "select hidden_cursor('c')", 'fetch all from c', 'commit'],
  'a cursor that changes under its name': [
    'begin',
    'declare c cursor for select name from people',
    'fetch 1 from c',
    'close c',
    'declare c cursor for select ssn from people',
    'fetch all from c',
    'commit',
  ],
  'a cursor behind a savepoint': [
    'begin',
    'declare c cursor for select name from people',
    'savepoint s',
    'close c',
    'declare c cursor for select ssn from people',
    'fetch all from c',
    'rollback to s',
    'fetch all from c',
    'rollback',
  ],
  'UPDATE WHERE CURRENT OF': [
    'begin',
    'declare c cursor for select id from people for update',
    'fetch c',
    "update people set note = 'x' where current of c returning ssn",
    'rollback',
  ],
  'PREPARE and EXECUTE': ['prepare p as select ssn from people', 'execute p'],
  'EXECUTE again': ['prepare p as select ssn from people', 'execute p', 'execute p'],
  'EXECUTE with a parameter': ['prepare p(int) as select ssn from people where id = $1', 'execute p(1)'],
  'PREPARE under the name of another': [
    'prepare p as select name from people',
    'execute p',
    'deallocate p',
    'prepare p as select ssn from people',
    'execute p',
  ],
  'EXECUTE after the table changed': [
    'create temp table t (a text)',
    'prepare p as select a from t',
    'execute p',
    'drop table t',
    'create temp view t as select ssn::text as a from people',
    'execute p',
  ],
  'CREATE TABLE AS EXECUTE': [
    'prepare p as select ssn from people',
    'create temp table t as execute p',
    'select * from t',
  ],
  'EXPLAIN EXECUTE': [
    'prepare p(text) as select reads_ssn(1), $1',
    'select reads_ssn(1)',
    "explain (analyze, verbose) execute p('x')",
  ],
  'DISCARD in between': [
    'prepare p as select name from people',
    'discard all',
    'prepare p as select ssn from people',
    'execute p',
  ],
  'several statements in one text': { steps: ['select 1; select ssn from people; select 2'], forms: ['simple'] },
  'several results of different shape': {
    steps: ['select name from people; select ssn, name from people; table cards'],
    forms: ['simple'],
  },
  'a text with a transaction inside': {
    steps: ['begin; declare c cursor for select ssn from people; commit; select email from people'],
    forms: ['simple'],
  },
  parameters: {
    steps: [{ sql: 'select $1::text || ssn from people where id = $2', values: ['<', '1'] }],
    forms: ['extended', 'binary'],
  },
  'a parameter as the answer': {
    steps: [{ sql: 'select case when ssn = $1 then $2 else $3 end, email from people', values: ['x', 'hit', 'miss'] }],
    forms: ['extended', 'binary'],
  },
  'executed without Describe': {
    forms: ['simple'],
    steps: [{ raw: [say.parse('s', 'select ssn from people'), say.bind('', 's'), ...run(''), say.sync()] }],
  },
  'executed many times': {
    forms: ['simple'],
    steps: [
      { raw: [say.parse('s', 'select ssn from people'), say.describe('S', 's'), say.sync()] },
      ...Array.from({ length: 7 }, () => ({ raw: [say.bind('', 's'), ...run(''), say.sync()] })),
    ],
  },
  'described as text, fetched in binary': {
    forms: ['simple'],
    steps: [
      { raw: [say.parse('s', 'select salary, born from people'), say.describe('S', 's'), say.sync()] },
      { raw: [say.bind('', 's', [], [], all), ...run(''), say.sync()] },
    ],
  },
  'formats column by column': {
    forms: ['simple'],
    steps: [
      {
        raw: [
          say.parse('', 'select id, ssn, salary, token from people'),
          say.bind('', '', [], [], [0, 1, 0, 1]),
          ...run(''),
          say.sync(),
        ],
      },
    ],
  },
  'a portal in pieces': {
    forms: ['simple'],
    steps: [
      {
        raw: [
          say.parse('', 'select ssn from people'),
          say.bind('p', ''),
          ...run('p', 1),
          ...run('p', 1),
          ...run('p', 1),
          say.sync(),
        ],
      },
    ],
  },
  'two portals by turns': {
    forms: ['simple'],
    steps: [
      {
        raw: [
          say.parse('a', 'select name from people'),
          say.parse('b', 'select ssn from people'),
          say.bind('x', 'a'),
          say.bind('y', 'b'),
          ...run('x', 1),
          ...run('y', 1),
          ...run('x', 1),
          ...run('y', 1),
          say.sync(),
        ],
      },
    ],
  },
  'a pipeline of many': {
    forms: ['simple'],
    steps: [
      {
        raw: ['name', 'ssn', 'note', 'email', 'id', 'salary']
          .flatMap((column) => [say.parse('', `select ${column} from people`), say.bind('', ''), ...run('')])
          .concat(say.sync()),
      },
    ],
  },
  'a pipeline behind Flush': {
    forms: ['simple'],
    steps: [
      {
        raw: [
          say.parse('', 'select ssn from people'),
          say.flush(),
          say.bind('', ''),
          say.flush(),
          say.describe('P', ''),
          ...run(''),
          say.flush(),
          say.sync(),
        ],
      },
    ],
  },
  'a pipeline that goes on after an error': {
    forms: ['simple'],
    steps: [
      { raw: [say.parse('', 'select email::int from people'), say.bind('', ''), ...run(''), say.sync()] },
      { raw: [say.parse('', 'select email from people'), say.bind('', ''), ...run(''), say.sync()] },
    ],
  },
  'a statement name used again': {
    forms: ['simple'],
    steps: [
      { raw: [say.parse('s', 'select name from people'), say.sync()] },
      {
        raw: [say.close('S', 's'), say.parse('s', 'select ssn from people'), say.bind('', 's'), ...run(''), say.sync()],
      },
    ],
  },
  'a prepared star, and a new column': {
    forms: ['simple'],
    steps: [
      { raw: [say.parse('s', 'select * from messages'), say.bind('', 's'), ...run(''), say.sync()] },
      'alter table messages add more text',
      { raw: [say.bind('', 's'), ...run(''), say.sync()] },
    ],
  },
  'a cursor of DECLARE by Execute': {
    forms: ['simple'],
    steps: [
      'begin',
      'declare c cursor for select ssn from people',
      { raw: [say.describe('P', 'c'), ...run('c'), say.sync()] },
      'rollback',
      'select reads_ssn(1)',
    ],
  },
  'a portal by FETCH': {
    forms: ['simple'],
    steps: [
      'begin',
      { raw: [say.parse('', 'select ssn from people'), say.bind('p', ''), ...run('p', 1), say.sync()] },
      'fetch all from p',
      'commit',
    ],
  },
  'the fast path of functions': {
    forms: ['simple'],
    steps: ['select reads_ssn(1)', { raw: [Buffer.from([0x46, 0, 0, 0, 14, 0, 0, 0x27, 0x0f, 0, 0, 0, 0, 0, 0])] }],
  },
  'COPY TO STDOUT': 'copy people to stdout',
  'COPY of columns': 'copy people (id, ssn) to stdout',
  'COPY of a query': 'copy (select ssn, upper(email) from people) to stdout',
  'COPY as CSV': 'copy people to stdout (format csv, header, force_quote *)',
  'COPY as CSV with other signs':
    "copy people to stdout (format csv, delimiter ';', quote '''', escape '\\', null 'NIL')",
  'COPY in binary': 'copy people to stdout (format binary)',
  'COPY in binary of numbers':
    'copy (select salary, born, balance, token, photo from people) to stdout (format binary)',
  'COPY of a view': 'copy (table directory) to stdout',
  'COPY of a materialised view': 'copy stored_people to stdout',
  'COPY of a partition': 'copy visits_new to stdout',
  'COPY of RETURNING': "copy (update people set note = 'x' where id = 1 returning ssn) to stdout",
  'COPY to a program': [
    "copy (select ssn from people) to program 'cat > /tmp/countersign-attack.txt'",
    "select pg_read_file('/tmp/countersign-attack.txt')",
  ],
  'COPY to a file': [
    "copy people to '/tmp/countersign-attack-2.txt'",
    "select pg_read_file('/tmp/countersign-attack-2.txt')",
  ],
  'COPY to a file and back': [
    "copy (select 20 + id, ssn from people) to '/tmp/countersign-attack-3.txt'",
    "copy sinks (id, public) from '/tmp/countersign-attack-3.txt'",
    'select public from sinks',
  ],
  'COPY in another encoding': "copy (select ssn from people) to stdout (encoding 'LATIN1')",
  'COPY of JSON': 'copy (select row_to_json(p) from people p) to stdout',

  'PREPARE in a transaction that fails': [
    'prepare p as select name from people',
    'begin',
    'deallocate p',
    'prepare p as select ssn from people',
    'rollback',
    'execute p',
  ],
  'EXECUTE after search_path changed': [
    'set search_path to shadow, public',
    'prepare p as select id, ssn::text, name::text from people',
    'execute p',
    'set search_path to public',
    'execute p',
  ],
  'a cursor over what search_path says': [
    'begin',
    'set local search_path to shadow, public',
    'declare a cursor for select ssn from people',
    'set local search_path to public',
    'declare b cursor for select ssn from people',
    'fetch all from a',
    'fetch all from b',
    'commit',
  ],
  'COPY with a delimiter like the value': "copy (select ssn, email from people) to stdout (delimiter '@')",
});
