// The import direction of the house (ARCHITECTURE.md). Executed by test/architecture/imports.test.ts, which also counts
// the modules that were read: a cruise that reads nothing must not pass.
const io = '^(node:)?(fs|fs/promises|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|timers|timers/promises|sqlite|cluster|inspector)$';
const pure = '^src/(domain|sql|policy|masking)/';
const pureFiles = '^src/(protocols/[^/]+/(codec|conversation|scram|replay|faults|notices)[^/]*|ledger/(hash|tile|tree|note|proof|tlog-proof|entry|frame|payload|canonical|platform|sha2|ed25519|big-endian|folder|journal-reading|rules|damage|verify(?!-disk))[^/]*|approvals/(request|vote|ballot|ssh-|passkey|proof|approval|breaker)[^/]*|store/project|events/[^/]+|reconcile/(csv|log-line|target-sessions|recorded-sessions|match|findings|same-text|activity|calls|result))\\.ts$';
const tests = '\\.(test|suite)\\.ts$';

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', comment: 'A cycle hides which part leads.', from: { pathNot: tests }, to: { circular: true, viaOnly: { pathNot: tests } } },
    { name: 'domain-imports-only-domain', severity: 'error', comment: 'The vocabulary stands alone.', from: { path: '^src/domain/', pathNot: tests }, to: { pathNot: '^src/domain/' } },
    { name: 'pure-folders-do-no-io', severity: 'error', comment: 'Decisions must be the same again for the same input.', from: { path: pure, pathNot: tests }, to: { path: io } },
    { name: 'pure-folders-import-downwards', severity: 'error', comment: 'sql, policy and masking know the vocabulary and the SQL reading, not the gateway.', from: { path: pure, pathNot: tests }, to: { path: '^src/', pathNot: '^src/(domain|sql|policy|masking)/' } },
    { name: 'sans-io-files-do-no-io', severity: 'error', comment: 'Codec, conversation and proofs are functions of their input.', from: { path: pureFiles, pathNot: tests }, to: { path: io } },
    { name: 'protocols-see-only-the-seam', severity: 'error', comment: 'A protocol meets the gateway in protocols/protocol.ts and nowhere else.', from: { path: '^src/protocols/', pathNot: tests }, to: { path: '^src/(session|approvals|ledger|recordings|identity|listeners|store|api|cli|config|bin|demo|policy)/' } },
    { name: 'protocols-do-not-meet', severity: 'error', comment: 'No protocol imports another.', from: { path: '^src/protocols/([^/]+)/', pathNot: tests }, to: { path: '^src/protocols/([^/]+)/', pathNot: '^src/protocols/$1/' } },
    { name: 'session-knows-no-protocol', severity: 'error', comment: 'The path is the same for every protocol.', from: { path: '^src/(session|approvals|policy)/', pathNot: tests }, to: { path: '^src/protocols/[^/]+/' } },
    { name: 'parts-meet-in-bin', severity: 'error', comment: 'Only bin and demo compose.', from: { path: '^src/', pathNot: ['^src/(bin|demo|cli)/', tests] }, to: { path: '^src/(bin|demo|cli)/' } },
    { name: 'database-drivers-only-in-store', severity: 'error', comment: 'The path speaks the wire itself.', from: { path: '^src/', pathNot: ['^src/(store|demo)/', '^src/ledger/(lock|keys|keyring)[^/]*\\.ts$', '^src/witness/witness\\.ts$', tests] }, to: { path: '^((node:)?sqlite|pg|postgres|kysely)$|node_modules/(pg|postgres|kysely)/' } },
    { name: 'witness-stands-alone', severity: 'error', comment: 'Whoever runs a witness needs nothing of a gateway.', from: { path: '^src/witness/', pathNot: tests }, to: { path: '^src/', pathNot: '^src/(witness|ledger|domain)/' } },
    { name: 'object-stores-know-the-ledger', severity: 'error', comment: 'A second place for the record needs nothing of the path, and the ledger nothing of it.', from: { path: '^src/objects/', pathNot: tests }, to: { path: '^src/', pathNot: '^src/(objects|ledger|domain)/' } },
    { name: 'verifier-stands-alone', severity: 'error', comment: 'Guarantee 7: the verifier needs ledger and domain, nothing else.', from: { path: '^src/bin/verify\\.ts$' }, to: { reachable: true, path: '^src/', pathNot: '^src/(ledger|domain|bin/verify)' } },
    { name: 'verifier-needs-no-package', severity: 'error', comment: 'Guarantee 7: nothing but Node.', from: { path: '^src/bin/verify\\.ts$' }, to: { reachable: true, path: '^node_modules/' } },
    { name: 'console-imports-the-contract', severity: 'error', comment: 'The console speaks the public API only.', from: { path: '^web/src/' }, to: { path: '^src/', pathNot: '^src/api/contract\\.ts$' } },
    { name: 'nothing-from-tests', severity: 'error', comment: 'What ships does not import what tests it.', from: { path: '^src/', pathNot: tests }, to: { path: '^(test|bench)/|' + tests } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.tools|\\.demo)/' },
    parser: 'swc',
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs'], exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
