// What the gateway itself answers to a message that it does not send, in the server's words where the server has some.
import { reservedName } from './conversation-state.ts';
import type { Refusal } from './faults.ts';

export const reservedRefusal: Refusal = {
  severity: 'ERROR',
  code: '42939',
  message: `the name "${reservedName}" is reserved`,
  hint: 'Choose another name.',
};

export const longName: Refusal = {
  severity: 'ERROR',
  code: '42622',
  message: 'the name of a prepared statement or a portal is longer than 63 bytes',
  detail: 'The server would cut it, and take for one what are two names.',
  hint: 'Choose a shorter name.',
};

export const separately: Refusal = {
  severity: 'ERROR',
  code: '0A000',
  message:
    'this transaction changed the search path or the catalogue, so what follows its end cannot be read together with it',
  hint: 'Send the statements after COMMIT or ROLLBACK separately.',
};

export function tooMany(what: string): Refusal {
  return {
    severity: 'ERROR',
    code: '54000',
    message: `this session has too many ${what}`,
    hint: `Close those that are not needed any more.`,
  };
}

export function unknownStatement(name: string): Refusal {
  const message =
    name === '' ? 'unnamed prepared statement does not exist' : `prepared statement "${name}" does not exist`;
  return { severity: 'ERROR', code: '26000', message };
}

export function unknownPortal(name: string): Refusal {
  return { severity: 'ERROR', code: '34000', message: `portal "${name}" does not exist` };
}
