// The gateway as a process: where the parts meet. Read from top to bottom it is the path of ARCHITECTURE.md.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino, { type Logger } from 'pino';
import { openApi } from '../api/api.ts';
import { type Config, dataPaths } from '../config/config.ts';
import { methodFor } from '../config/masks.ts';
import { readPolicyFolder } from '../config/policies.ts';
import { Fault } from '../domain/fault.ts';
import type { Target } from '../domain/target.ts';
import { openCertificates } from '../identity/certificate.ts';
import { openIdentity } from '../identity/identity.ts';
import { openKeyProvider } from '../keys/open-provider.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { openResumingLedger } from '../ledger/resuming.ts';
import { listen, type Listener } from '../listeners/listen.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Orphan } from '../ledger/open-sessions.ts';
import { openWrittenBack } from '../masking/written-back.ts';
import { loadPolicies } from '../policy/policy-set.ts';
import { openPolicy } from '../policy/policy.ts';
import { openCatalogues } from '../protocols/postgres/catalogues.ts';
import { encodeRefusal } from '../protocols/postgres/faults.ts';
import { ownLink } from '../protocols/postgres/own-connection.ts';
import { postgres } from '../protocols/postgres/postgres.ts';
import { replayPostgres } from '../protocols/postgres/replay.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { readRecording, recoverRecording } from '../recordings/reading.ts';
import { openRecorder } from '../recordings/recorder.ts';
import { openGateway, recordOrphans } from '../session/gateway.ts';
import { openPolicyHolder } from '../session/policy-holder.ts';
import { openAnalyser } from '../sql/analyse.ts';
import { loadParser } from '../sql/parse.ts';
import { openCarriedLabels } from '../store/carried-labels.ts';
import { openBacktester } from '../store/backtester.ts';
import { openStore } from '../store/store.ts';
import { dialTarget } from '../targets/dial.ts';
import { consoleOptions, listenerTls, oauthOf, openTarget } from './configured.ts';
import { deploymentKey } from './deployment-key.ts';
import { openOwnConnections, ownTexts } from './joining.ts';
import { startLooking } from './start-looking.ts';
import { openHolding } from './holding.ts';
import { openLabelWarnings } from './label-warnings.ts';
import { openLedgerHealth } from './ledger-health.ts';
import { openOutlets, openScrapes, openTimes } from './outlets.ts';
import { openObjects } from './objects.ts';
import { causeWords, operatorCause } from './cause-words.ts';
import { policyParts } from './policy-parts.ts';
import { retentionOf } from './retention.ts';
import { openTelling } from './telling.ts';
import { version } from './version.ts';
import { openVoting } from './voting.ts';

export interface Running {
  /** Where clients connect, in the order of the configuration. */
  readonly listeners: readonly { readonly protocol: string; readonly address: string; readonly port: number }[];
  readonly consoleUrl: string;
  /** Resolves when a witness has seen more of the log than there is: whoever started this is to stop it. */
  readonly halted: Promise<Fault>;
  /** Milliseconds that the ledger took to be open: read, mended, the ends of cut off sessions recorded. */
  readonly recoveryMs: number;
  /** Refuses new clients, ends live sessions, seals the record. */
  stop(reason: string): Promise<void>;
}

const full = encodeRefusal({
  severity: 'FATAL',
  code: '53300',
  message: 'this listener of the gateway serves as many clients as it may',
  hint: 'Close sessions that are not needed, or connect again in a moment.',
});

const webFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'web', 'dist');

/** Starts a gateway. Rejects with what is wrong, having closed what was open. */
export async function serve(config: Config, log: Logger = openLog(config)): Promise<Running> {
  const paths = dataPaths(config);
  const closing: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const step of closing.splice(0).toReversed()) await step();
  };
  try {
    await loadParser();
    const methods = { methodFor: (label: string) => methodFor(config.masks, label) };
    const policy = openPolicy(
      loadPolicies(readPolicyFolder(config.policies), { ttlSeconds: config.approvals.ttlSeconds }),
      methods,
    );

    // Asked for each chunk of a client: the age of what is held needs no better clock.
    let coarse = Date.now();
    const clock = setInterval(() => {
      coarse = Date.now();
    }, 250).unref();
    closing.push(() => clearInterval(clock));

    const recordEnds = (of: Ledger, orphans: readonly Orphan[]) =>
      recordOrphans(of, orphans, async (session) => ({ ...(await recoverRecording(paths.recordings, session)) }));
    const keyPlace = { state: paths.state, origin: config.gateway.origin, keys: config.ledger.keys };
    const provider = openKeyProvider(keyPlace);
    closing.push(() => provider.close?.());
    const halted = Promise.withResolvers<Fault>();
    const objects = await openObjects(config, log, halted.resolve);
    closing.push(() => objects?.close(5_000));
    const { times, timed } = openTimes(config);
    const health = await openLedgerHealth(config, paths, log);
    closing.push(() => health.close());
    const began = performance.now();
    const { ledger, orphans } = await openResumingLedger(
      {
        provider,
        ...(timed ? { timed } : {}),
        ...(objects ? { replica: objects.replica } : {}),
        keysTold: ({ failing, ...status }) =>
          failing
            ? log.error({ ...status, err: operatorCause(failing) }, `the key provider fails: ${causeWords(failing)}`)
            : log.info(status, 'the key provider answers again'),
        disk: health.disk,
        folder: paths.ledger,
        state: paths.state,
        signing: paths.signing,
        gateway: config.gateway.name,
        version,
        asks: ownTexts(),
        config: config.digest,
        periodMs: config.ledger.checkpointSeconds * 1_000,
        heartbeatMs: config.ledger.heartbeatSeconds * 1_000,
      },
      {
        async failed(fault) {
          log.error({ code: fault.code, err: operatorCause(fault) }, 'the ledger cannot record: nothing is forwarded');
          await endAll(fault);
        },
        stillFailing: (fault) =>
          log.error({ code: fault.code, err: operatorCause(fault) }, 'the ledger cannot record yet'),
        async resumed(again, cutOff) {
          await recordEnds(again, cutOff);
          log.info({ entries: again.status().entries }, 'the ledger records again');
        },
      },
    );
    closing.push(() => ledger.close());
    if (ledger.origin !== config.gateway.origin) {
      throw new Fault(
        'ledger.unavailable',
        `The ledger in ${paths.ledger} is ${ledger.origin}, the configuration says ${config.gateway.origin}. Point data at the right folder, or move on to a new log with "countersign ledger rotate".`,
      );
    }
    await recordEnds(ledger, orphans);
    const recoveryMs = Math.round(performance.now() - began);
    log.info({ entries: ledger.status().entries, cutOff: orphans.length, recoveryMs }, 'the ledger is open');
    const policies = openPolicyHolder(ledger);
    await policies.activate(policy);
    objects?.record((draft) => void ledger.append(draft, 'synced').durable.catch(() => undefined));

    const outlets = await openOutlets(config, ledger, log, keyPlace);
    closing.push(() => outlets.close());
    closing.push(openHolding(config, ledger, log, halted.resolve));

    const identity = {
      ...openIdentity(config.issuers, { now: Date.now, fetch: globalThis.fetch }),
      ...openCertificates(
        config.certificates.map(({ ca, ...rule }) => ({ ...rule, ...(ca ? { ca: readFileSync(ca.file) } : {}) })),
        Date.now,
      ),
    };
    const { approvals, keys, locks, close: closeVoting } = openVoting(config, ledger, paths.state);
    closing.push(closeVoting);
    closing.push(openTelling(config, approvals, log));

    const targets = new Map(config.targets.map((target) => [target.name, openTarget(target)]));
    const carriedLabels = openCarriedLabels(paths.state);
    closing.push(() => carriedLabels.close());
    const gateway = openGateway({
      ledger,
      openRecorder: (session, key) => openRecorder({ folder: paths.recordings, session, key }),
      policy: policies,
      approvals,
      identity,
      targets,
      locks,
      async carry({ target, database }, carries, by) {
        const fresh = await carriedLabels.carry(target, database, carries, by);
        if (fresh) catalogues.of(targets.get(target)!.target, database).changed();
      },
      obstacle: health.obstacle,
      mayBegin: health.mayBegin,
      sessionMs: config.limits.sessionSeconds * 1_000,
      budget: { matches: config.limits.matches, probes: config.limits.probes },
    });
    const endAll = (fault: Fault) => gateway.endAll(fault);

    const labels = (target: Target, database: string) => [
      ...(config.targets.find((one) => one.name === target.name)?.labels ?? []),
      ...carriedLabels.rules(target.name, database),
    ];
    const warnOfRules = openLabelWarnings(log);
    const loginMs = (target: Target) =>
      (config.targets.find((one) => one.name === target.name)?.loginSeconds ?? 30) * 1_000;
    const own = openOwnConnections(ledger);
    const catalogues = openCatalogues({
      dial: async (target) => {
        const { credential, tls } = targets.get(target.name)!;
        return ownLink(await dialTarget(target), credential, tls);
      },
      labels,
      reached: own.reached,
      connection: (target) => ({ deadlineMs: loginMs(target) }),
      onRead: ({ name: target }, database, catalogue) =>
        warnOfRules({ target, database }, catalogue, carriedLabels.rules(target, database)),
      now: () => coarse,
      schedule(ms, call) {
        const timer = setTimeout(call, ms).unref();
        return () => clearTimeout(timer);
      },
    });
    closing.push(() => catalogues.close());
    const maskKey = deploymentKey(paths.state);
    const writtenBack = openWrittenBack({ key: maskKey, methods: Object.values(config.masks), ...methods });
    const protocols = new Map<string, (of: Config['listeners'][number]) => Protocol>([
      [
        'postgres',
        (of) =>
          postgres({
            analyser: openAnalyser({ maxText: config.limits.statementBytes, writtenBack }),
            catalogues,
            labels,
            maskKey,
            writtenBack,
            startupMs: of.startupSeconds * 1_000,
            signIn: of.signIn,
            oauth: oauthOf(of, config.issuers),
            idleMs: config.limits.idleSeconds * 1_000,
            loginMs,
            tagSessions: (target) => config.targets.find((one) => one.name === target.name)?.tagSessions,
            limits: { waitingBytes: config.limits.heldBytes },
            onFault: (fault, session) =>
              log.warn({ session, code: fault.code, err: operatorCause(fault) }, fault.message),
          }),
      ],
    ]);

    const store = openStore({
      ledger: paths.ledger,
      earlier: paths.earlier,
      state: paths.state,
      keys: keyPlace,
      file: paths.store,
      failed: (message) => log.error(message),
      ...(times ? { countFrom: ledger.status().entries } : {}),
    });
    closing.push(() => store.close());
    closing.push(ledger.onAppend((entries) => store.advanced(entries)));
    closing.push(await openScrapes(config, log, { ledger, gateway, store, outlets, times }));
    const keyring = openKeyring(paths.state, openKeyProvider(keyPlace));
    closing.push(() => keyring.close());
    const backtester = openBacktester({
      ledger: paths.ledger,
      earlier: paths.earlier,
      state: paths.state,
      keys: keyPlace,
      masks: config.masks,
      ttlSeconds: config.approvals.ttlSeconds,
      sessionMs: config.limits.sessionSeconds * 1_000,
    });
    closing.push(() => backtester.close());
    const retention = retentionOf(config, { ledger, store, keyring, provider, log, forgetRequests: approvals.forget });
    closing.push(() => retention.close());
    const looking = startLooking(config, { ledger, gateway, own, targets, log });
    closing.push(() => looking.close());
    const api = await openApi({
      retention,
      policy: policyParts({ targets, policies, catalogues, backtester, methodFor: methods.methodFor }),
      console: await consoleOptions(config),
      store,
      approvals,
      keys,
      locks,
      gateway,
      identity,
      ledger,
      ...(objects ? { objects: objects.state } : {}),
      exports: outlets.exports,
      health: health.status,
      targets: config.targets.map((target) => ({
        name: target.name,
        protocol: target.protocol,
        labelledColumns: target.labels.length,
        ack: target.ack,
        get reconciled() {
          return looking.last(target.name);
        },
      })),
      readRecording: (session) => readRecording(paths.recordings, session, keyring),
      replayers: new Map([['postgres', replayPostgres]]),
      webFolder,
      version,
      failed: (incident, error) => log.error({ incident, err: error }, 'a request to the API failed'),
    });
    closing.push(() => api.close());
    const { url } = await api.listen();

    const listeners: Listener[] = [];
    closing.push(async () => {
      await gateway.stop('the gateway stops');
      await Promise.all(listeners.map((listener) => listener.close(1_000)));
    });
    for (const of of config.listeners) {
      const protocol = protocols.get(of.protocol)!(of);
      listeners.push(
        await listen({
          address: of.address,
          port: of.port,
          plaintext: of.plaintext,
          ...(of.tls ? { tls: listenerTls(of.tls) } : {}),
          directTls: 'postgresql',
          limits: { links: of.maxConnections, signingIn: of.maxSigningIn },
          refusal: full,
          onLink: (link) => void protocol.serve(link, gateway),
        }),
      );
    }
    const bound = config.listeners.map((of, index) => ({
      protocol: of.protocol,
      address: of.address,
      port: listeners[index]!.port,
    }));
    // So that rules without a column are told of at the start and not in the first session; a target that is away is none of it.
    for (const { name, labels: rules } of config.targets) {
      const { target } = targets.get(name)!;
      if (rules.length > 0)
        void catalogues
          .of(target, target.database)
          .current()
          .catch(() => undefined);
    }
    log.info({ listeners: bound, console: url, entries: ledger.status().entries, policy: policy.version }, 'ready');
    let stopped: Promise<void> | undefined;
    return {
      listeners: bound,
      consoleUrl: url,
      halted: halted.promise,
      recoveryMs,
      stop(reason) {
        stopped ??= (async () => {
          log.info({ reason }, 'stopping');
          await close();
        })();
        return stopped;
      },
    };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

export function openLog(config: Pick<Config, 'log'>): Logger {
  return pino(
    { level: config.log.level, base: null, redact: ['password', '*.password', 'token', '*.token'] },
    pino.destination(2),
  );
}
