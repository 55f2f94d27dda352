// PostgreSQL as a protocol of the gateway: sign-in of the client, login at the target, and the conversation between them.
import { Fault } from '../../domain/fault.ts';
import type { Link } from '../../domain/link.ts';
import type { Permit } from '../../domain/permit.ts';
import type { Target } from '../../domain/target.ts';
import { openCopyMasks } from '../../masking/copy.ts';
import { compileMask } from '../../masking/method.ts';
import type { WrittenBack } from '../../masking/written-back.ts';
import type { Analysis, Scope } from '../../sql/analysis.ts';
import type { LabelRule } from '../../sql/catalogue.ts';
import type { Gateway, Protocol, Session } from '../protocol.ts';
import { asFault, drive } from '../wire.ts';
import { cancelAtTarget, cancelName, newCancelKey } from './cancel.ts';
import type { CatalogueSource } from './catalogues.ts';
import { encodeAuthentication } from './codec-authentication.ts';
import { Writer } from './codec-writer.ts';
import { type Conversation, openConversation } from './conversation.ts';
import type { ConversationLimits } from './conversation-state.ts';
import { Asked, connectMeaning } from './conversation-statement.ts';
import { encodeRefusal, refusalOf, refusalOfDenial } from './faults.ts';
import { Front, type FrontStep, type SignInMethod, type Wanted } from './front.ts';
import { goodbye, greet } from './greeting.ts';
import { backendOf, login } from './login.ts';
import { encodeHoldNotice } from './notices.ts';
import type { OAuthDiscovery } from './oauthbearer.ts';
import { Reception } from './reception.ts';
import { tagged } from './session-tag.ts';
import { openRecordedRows } from './recorded-rows.ts';

export interface PostgresOptions {
  /** Reads SQL; `openAnalyser()` of src/sql/analyse.ts. */
  readonly analyser: { analyse(sql: string, scope: Scope): Analysis };
  readonly catalogues: { of(target: Target, database: string): CatalogueSource };
  /** The label rules that `catalogues` uses for this target and database now. */
  labels(target: Target, database: string): readonly LabelRule[];
  /** The deployment's key for masks by hash. */
  readonly maskKey: Buffer;
  /** Tells values that a mask made; the same one as the analyser's. */
  readonly writtenBack?: WrittenBack;
  /** How clients sign in: the first that a client can use. Default: a token as the password. */
  readonly signIn?: readonly SignInMethod[];
  /** Where tokens come from; needed for `oauthbearer`. */
  readonly oauth?: OAuthDiscovery;
  /** Milliseconds from the first byte to a signed-in session, holds not counted. Default 30,000. */
  readonly startupMs?: number;
  /** Milliseconds between reminders to a client that waits. Default 30,000. */
  readonly reminderMs?: number;
  /** Milliseconds in which nothing runs, waits or moves, after which a session ends. No such limit where absent. */
  readonly idleMs?: number;
  /** Milliseconds that a target has for the gateway's login. Default 30,000. */
  loginMs?(target: Target): number | undefined;
  /** Whether sessions are named to the target in `application_name`. */
  tagSessions?(target: Target): boolean | undefined;
  /** Milliseconds that a peer has to close its side. Default 5,000. */
  readonly lingerMs?: number;
  /** Let a target that asks for the password itself have it without TLS. */
  readonly cleartextPassword?: boolean;
  readonly limits?: Partial<ConversationLimits>;
  /** Faults with their causes, for the operator's log. */
  onFault?(fault: Fault, session: string | undefined): void;
}

export function postgres(options: PostgresOptions): Protocol {
  return { name: 'postgres', serve: (client, gateway) => serve(client, gateway, options) };
}

async function serve(client: Link, gateway: Gateway, options: PostgresOptions): Promise<void> {
  const reception = new Reception(client);
  let session: Session | undefined;
  let cause = 'client left';
  const startup = setTimeout(() => {
    reception.fail(new Fault('client.timeout', 'Signing in took too long.'));
  }, options.startupMs ?? 30_000);
  try {
    const front = new Front({
      tls: client.startTls !== undefined,
      secure: () => client.secure,
      mayContinue: () => client.secure || client.plaintextAllowed === true,
      signIn: options.signIn ?? ['token-password'],
      oauth: options.oauth,
      presented: () => client.certificate !== undefined || client.certificateRefused !== undefined,
    });
    const arrived = await receive(front, reception, client, gateway);
    if (arrived?.do !== 'sign-in') return;
    const { by, token, wanted } = arrived;
    const { target, database } = wanted;
    const { user, application, trace } = wanted;
    const claimed = { user, application, address: client.remote, ...(trace === undefined ? {} : { trace }) };
    const credential = by === 'certificate' ? ({ by } as const) : token === '' ? undefined : token;
    try {
      session = await gateway.signIn(credential, { target, database, claimed }, client);
    } catch (error) {
      // Only a refused token: where the target is unknown, a fresh token would not help.
      if (by !== 'oauthbearer' || !asFault(error).code.startsWith('sign-in.')) throw error;
      client.write(front.refuse());
      await receive(front, reception, client, gateway);
      throw error;
    }
    const opened = session;
    reception.before(front.rest());
    // From here on the client may be told of a hold by a notice; before, only an error would be understood.
    const writer = new Writer();
    encodeAuthentication(writer, { kind: 'ok' });
    client.write(writer.take());
    clearTimeout(startup);
    const permit = await connect(opened, reception, wanted, options);
    if (permit === undefined) {
      cause = 'connect refused';
      return;
    }
    cause = await converse(opened, reception, gateway, permit, wanted, options);
  } catch (error) {
    const fault = asFault(error);
    cause = fault.code;
    if (!reception.gone) client.write(encodeRefusal({ ...refusalOf(fault), severity: 'FATAL' }));
    if (!reception.gone) options.onFault?.(fault, session?.id);
  } finally {
    clearTimeout(startup);
    reception.over();
    client.end();
    reception.linger(options.lingerMs ?? 5_000);
    await session?.close(cause).catch((error: unknown) => options.onFault?.(asFault(error), session?.id));
  }
}

/**
 * Runs the start-up up to the credential, or up to the client's answer to a refusal. `undefined` when there is nothing to
 * serve: the client left, or only cancelled.
 */
async function receive(
  front: Front,
  reception: Reception,
  client: Link,
  gateway: Gateway,
): Promise<Extract<FrontStep, { do: 'sign-in' | 'refuse' }> | undefined> {
  for (;;) {
    for (let step = front.next(); step.do !== 'wait'; step = front.next()) {
      switch (step.do) {
        case 'send':
          client.write(step.bytes);
          break;
        case 'secure':
          if (reception.take() !== undefined)
            throw new Fault('client.protocol', 'The client sent bytes in the clear behind its request for TLS.');
          client.write(Buffer.from('S'));
          await client.startTls?.({ alpn: 'postgresql' });
          break;
        case 'cancel':
          gateway.cancels.find(cancelName(step.key))?.();
          return undefined;
        case 'sign-in':
        case 'refuse':
          front.keep();
          return step;
      }
    }
    front.keep();
    const bytes = await reception.bytes();
    if (bytes === undefined) return undefined;
    front.push(bytes);
  }
}

/** Opening the session is a statement of its own. `undefined` when it was denied; the client has been told. */
async function connect(
  session: Session,
  reception: Reception,
  wanted: Wanted,
  options: PostgresOptions,
): Promise<Permit | undefined> {
  const { client } = reception;
  let reminder: NodeJS.Timeout | undefined;
  const signal = AbortSignal.any([reception.left.signal, session.ended]);
  try {
    const ruling = await session.submit(
      new Asked(
        'connect',
        `connect ${session.target.name}/${session.database}`,
        connectMeaning,
        `${wanted.target}/${session.database}`,
      ),
      {
        signal,
        held(holding) {
          client.write(encodeHoldNotice(holding, false));
          reminder ??= setInterval(() => client.write(encodeHoldNotice(holding, true)), options.reminderMs ?? 30_000);
        },
      },
    );
    reception.check();
    if (ruling.granted) return ruling;
    client.write(encodeRefusal({ ...refusalOfDenial(ruling), severity: 'FATAL' }));
    return undefined;
  } finally {
    clearInterval(reminder);
  }
}

async function converse(
  session: Session,
  reception: Reception,
  gateway: Gateway,
  permit: Permit,
  wanted: Wanted,
  options: PostgresOptions,
): Promise<string> {
  const { client } = reception;
  const source = options.catalogues.of(session.target, session.database);
  const signal = AbortSignal.any([reception.left.signal, session.ended]);
  const link = await session.dial(permit);
  const [logged, catalogue] = await Promise.all([
    login(link, permit, {
      database: session.database,
      parameters: options.tagSessions?.(session.target) ? tagged(wanted.parameters, session.id) : wanted.parameters,
      cleartextPassword: options.cleartextPassword ?? false,
      deadlineMs: options.loginMs?.(session.target),
      signal,
    }),
    source.current(),
  ]).catch((error: unknown) => {
    link.destroy();
    throw error;
  });
  reception.check();
  try {
    await session.reached(backendOf(logged, link.local));
    reception.check();
  } catch (error) {
    link.destroy();
    throw error;
  }
  const key = newCancelKey(wanted.minor);
  let known = catalogue;
  let conversation!: Conversation;
  const { recording = 'full' } = session.target;
  const rows =
    recording === 'full'
      ? undefined
      : openRecordedRows(recording, {
          record: (side, bytes) => session.record(side, bytes),
          unkept: (of) => session.recordUnkept(of),
        });
  const refresh = (ask: Promise<typeof catalogue>): void => {
    ask.then(
      (fresh) => {
        known = fresh;
        conversation.catalogueRead(fresh);
      },
      (error: unknown) => conversation.catalogueFailed(asFault(error)),
    );
  };
  const wire = drive(
    {
      client,
      target: {
        open: logged.open,
        send: (bytes, by) => link.send(bytes, by),
        pause: () => link.pause(),
        resume: () => link.resume(),
        end: () => link.end(),
        destroy: () => link.destroy(),
      },
      session,
      permit,
      goodbye,
      reminderMs: options.reminderMs ?? 30_000,
      idleMs: options.idleMs,
      lingerMs: options.lingerMs ?? 5_000,
    },
    (outputs) => {
      greet(client, logged, key);
      conversation = openConversation(
        {
          ...outputs,
          readCatalogue: () => refresh(source.refresh()),
          checkCatalogue: () => refresh(source.checked()),
          catalogueChanged: () => source.changed(),
          cancelTarget(by) {
            const sent = logged.key ? cancelAtTarget(() => session.dial(by), by, logged.key) : Promise.resolve();
            void sent
              .catch((error: unknown) => options.onFault?.(asFault(error), session.id))
              .then(() => conversation.cancelTaken());
          },
          ...(rows && { record: (side, bytes) => rows.record(side, asBuffer(bytes)) }),
          close(ending) {
            if (ending.fault) options.onFault?.(ending.fault, session.id);
            rows?.end();
            outputs.close(ending);
          },
        },
        {
          permit,
          analyse: (sql, scope) => options.analyser.analyse(sql, scope),
          preview: (meaning) => session.preview(meaning),
          catalogue,
          ownBackend: () => source.backend,
          utf8: logged.parameters.get('server_encoding') === 'UTF8',
          labels: () => options.labels(session.target, session.database),
          compileMask: (mask, type, format) => compileMask(mask, type, format, options.maskKey),
          openCopyMasks: (copy, columns) => openCopyMasks(copy, columns, options.maskKey),
          writtenBack: options.writtenBack,
          limits: options.limits,
        },
      );
      return conversation;
    },
  );
  const running = logged.key;
  session.onCut(() => (running && conversation.busy() ? (dial) => cancelAtTarget(dial, permit, running) : undefined));
  const forget = gateway.cancels.add(cancelName(key), () => conversation.cancelled());
  try {
    const { data } = wire;
    reception.wire = {
      ...wire,
      // What the catalogue's own connection noticed comes in before the bytes that will be judged by it.
      data(chunk) {
        const { latest } = source;
        if (latest === undefined) {
          conversation.catalogueAwaited();
          refresh(source.current());
        } else if (latest !== known) {
          known = latest;
          conversation.catalogueRead(latest);
        }
        data(chunk);
      },
    };
    const early = reception.take();
    if (early) reception.wire.data(early);
    if (reception.gone) reception.wire.end();
    return await wire.over;
  } finally {
    forget();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
