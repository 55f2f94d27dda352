// Texts and settings that are read in two ways, other encodings, results that are long, late or in many pieces (field notes 24–26, 41, 42).
import { say } from '../../../peers/raw-client.ts';
import { attacks } from '../attack.ts';

export const encodings = attacks({
  'client_encoding LATIN1': [{ sql: "set client_encoding to 'LATIN1'" }, 'select email from people'],
  'client_encoding SJIS': ["set client_encoding to 'SJIS'", 'select ssn from people'],
  'client_encoding GBK, and an escape': [
    "set client_encoding to 'GBK'",
    "select ssn from people where name <> '\u00bf'' or true --'",
    'select ssn from people',
  ],
  'client_encoding SQL_ASCII': ["set client_encoding to 'SQL_ASCII'", 'select ssn, email from people'],
  'SET NAMES': ["set names 'UTF8'", 'select ssn from people'],
  'client_encoding by set_config': ["select set_config('client_encoding', 'LATIN1', false)", 'select ssn from people'],
  'client_encoding at start-up': [{ start: { client_encoding: 'LATIN1' }, sql: 'select ssn from people' }],
  'client_encoding in the options at start-up': [
    { start: { options: '-c client_encoding=LATIN1' }, sql: 'select ssn from people' },
  ],
  'standard_conforming_strings off': [
    'set standard_conforming_strings to off',
    "select 'a\\', ssn, '' from people --'",
    'select ssn from people',
  ],
  'standard_conforming_strings by set_config': [
    "select set_config('standard_conforming_strings', 'off', false)",
    "select '\\', ssn, '' from people --'",
    'select ssn from people',
  ],
  'standard_conforming_strings at start-up': [
    { start: { options: '-c standard_conforming_strings=off' }, sql: 'select ssn from people' },
  ],
  'standard_conforming_strings in one text': {
    steps: ["set standard_conforming_strings to off; select '\\' as a, ssn from people --'", 'select ssn from people'],
    forms: ['simple'],
  },
  backslash_quote: ['set backslash_quote to on', "select E'\\'', ssn from people"],
  'an E string': "select E'\\x27', ssn from people",
  'dollar quotes': 'select $a$ $$ -- $a$, ssn from people',
  'dollar quotes with a tag of letters': 'select $é$ /* $é$, ssn from people',
  'nested comments': 'select /* /* */ */ ssn /* -- */ from people -- /*',
  'an operator that looks like a comment': 'select 1 operator(pg_catalog.+) 1, ssn from people --/* */',
  'a comment of many bytes': `select /*${'x'.repeat(20_000)}*/ ssn from people`,
  'a statement of many columns': `select ${Array.from({ length: 300 }, (_, n) => `${n} as c${n}`).join(', ')}, ssn from people`,
  'a byte order mark': ['select ssn from people', '\ufeffselect ssn from people'],
  'carriage returns': 'select -- x\r ssn from people',
  'form feeds and tabs': 'select\f\tssn\v from people',
  'a blank of Unicode': ['select ssn from people', 'select\u00a0ssn from people'],
  'a NUL inside the text': {
    forms: ['simple'],
    steps: [
      'select ssn from people',
      { raw: [say.query('select ssn from people; select 1\0; select ssn from people')] },
    ],
  },
  'unicode escapes in a string as a name': ["select U&'\\0073sn'", 'select U&"ss\\006e" from people'],
  'a query that is over in two': {
    forms: ['simple'],
    steps: ["select 'a;b', ssn from people; ; ; select email from people;"],
  },
  'an integer type as domain': ['create domain d as int', 'select salary::d from people'],
  'row 1001': 'select id, diary from long_rows order by id',
  'row 1001 by COPY': 'copy long_rows to stdout',
  'row 1001 by FETCH': [
    'begin',
    'declare c cursor for select diary from long_rows order by id',
    'move 1000 in c',
    'fetch 5 in c',
    'commit',
  ],
  'row 1001 by a portal': {
    forms: ['simple'],
    steps: [
      {
        raw: [
          say.parse('', 'select diary from long_rows order by id'),
          say.bind('', ''),
          say.execute('', 1000),
          say.execute('', 10),
          say.sync(),
        ],
      },
    ],
  },
  'behind a mebibyte': "select repeat('f', 1100000), ssn from people where id = 1",
  'behind a mebibyte of rows':
    "select filler, '', repeat('f', 1000) from long_rows union all (select ssn, email, null from people)",
  'within a long value': "select repeat('f', 300000) || ssn || repeat('f', 300000) from people where id = 1",
  'a masked column of megabytes': [
    'create table big (id int, body text)',
    "insert into big values (1, repeat('f', 1100000))",
    "insert into messages values (5, repeat('f', 1100000), null)",
    'select body from messages',
  ],
  'behind a megabyte by COPY':
    "copy (select repeat('f', 1100000), ssn, repeat('f', 100000), email from people where id = 1) to stdout",
  'behind a megabyte in binary COPY':
    "copy (select repeat('f', 1100000), ssn, email from people where id = 1) to stdout (format binary)",
  'after a wait': 'select pg_sleep(0.3), ssn from people where id = 1',
  'rows with waits between': 'select ssn, pg_sleep(0.05) from people',
  'split over the columns of a view': [
    'create temp view v as select left(ssn, 5) as a, right(ssn, 4) as b from people',
    'select a, b from v',
  ],
  'split over statements of one text': {
    forms: ['simple'],
    steps: ['select left(ssn, 6) from people; select right(ssn, 6) from people'],
  },
  'split over sessions': {
    steps: ['select left(ssn, 6) from people', { by: 'b', sql: 'select right(ssn, 6) from people' }],
  },
  'integer_datetimes, IntervalStyle': [
    "set intervalstyle to 'iso_8601'",
    "select seen - timestamptz '2000-01-01', born from people",
    'select born::text from people',
  ],
  'DateStyle at start-up': [{ start: { datestyle: 'SQL, DMY' }, sql: 'select born from people' }],
  'TimeZone at start-up': [{ start: { timezone: 'Asia/Tokyo' }, sql: 'select born, seen from people' }],
  'bytea_output at start-up': [{ start: { options: '-c bytea_output=escape' }, sql: 'select photo from people' }],
  'protocol 3.2': [{ start: { application_name: 'x' }, sql: 'select ssn from people' }],
  'an unknown start-up parameter': [{ start: { 'x.y': 'select ssn from people' }, sql: 'select ssn from people' }],
  'log settings at start-up': [
    { start: { options: '-c client_min_messages=debug5' }, sql: 'select email::int from people' },
  ],
});
