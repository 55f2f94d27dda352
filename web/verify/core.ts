export { verifyFolder } from '../../src/ledger/verify.ts';
export { checkTlogProof } from '../../src/ledger/tlog-proof.ts';
export { verifySummary } from '../../src/ledger/verify-summary.ts';
