// Telling people that a statement waits: at once, again while it waits, others when it waits too long, and how it ended. Never in
// the way of a vote: what cannot be sent is tried again and then given up, and the inbox has it all the same.
import type { Approval } from './approval.ts';
import type { Notice } from './notice.ts';

export interface Channel {
  readonly name: string;
  /** Groups whose requests it tells; all without it. */
  readonly groups?: readonly string[];
  /** Milliseconds that a request waits before it is told here: an escalation when more than 0. */
  readonly afterMs: number;
  /** Milliseconds between reminders; none without it. */
  readonly everyMs?: number;
  /** Rejects when the message was not taken. */
  send(notice: Notice): Promise<void>;
}

export interface NoticesOptions {
  readonly channels: readonly Channel[];
  readonly inbox: { get(id: string): Approval | undefined; onChange(listener: (id: string) => void): () => void };
  /** Console address that people open. */
  readonly baseUrl: string;
  now(): number;
  readonly timers: { set(call: () => void, ms: number): unknown; clear(timer: unknown): void };
  /** A channel took a message, or did not: for log and metrics. */
  told(channel: string, notice: Notice, failure?: Error): void;
  /** Messages that one channel gets in a minute before the rest are counted in one. */
  readonly mostEachMinute?: number;
}

const mostReminders = 5;
const tries = 4;
const firstRetryMs = 1_000;

/** Starts telling; `close` stops it. */
export function openNotices(options: NoticesOptions): { close(): void } {
  const { inbox, now, timers, mostEachMinute = 20 } = options;
  const url = (id: string) => `${options.baseUrl.replace(/\/+$/, '')}/approvals/${id}`;
  /** What waits to be told of each request. */
  const waiting = new Map<string, { readonly timers: Set<unknown>; readonly told: Set<Channel> }>();
  const minutes = new Map<Channel, { until: number; sent: number; more: number }>();
  let closed = false;

  const off = inbox.onChange((id) => {
    const approval = inbox.get(id);
    if (!approval) return;
    if (approval.state === 'pending' && !waiting.has(id)) begin(approval);
    else if (approval.state !== 'pending') end(approval);
  });

  function begin(approval: Approval): void {
    const state = { timers: new Set<unknown>(), told: new Set<Channel>() };
    waiting.set(approval.id, state);
    for (const channel of options.channels)
      if (!channel.groups || channel.groups.includes(approval.group)) later(approval.id, channel, channel.afterMs, 0);
  }

  /** Tells a channel after a while, unless the request has ended by then; and again. */
  function later(id: string, channel: Channel, ms: number, round: number): void {
    const state = waiting.get(id);
    if (!state) return;
    const timer = timers.set(() => {
      state.timers.delete(timer);
      const approval = inbox.get(id);
      if (approval?.state !== 'pending') return;
      state.told.add(channel);
      tell(channel, { kind: round === 0 ? 'asked' : 'reminder', id: `${id}-${channel.name}-${round}`, approval });
      if (channel.everyMs !== undefined && round < mostReminders) later(id, channel, channel.everyMs, round + 1);
    }, ms);
    state.timers.add(timer);
  }

  function end(approval: Approval): void {
    const state = waiting.get(approval.id);
    if (!state) return;
    waiting.delete(approval.id);
    for (const timer of state.timers) timers.clear(timer);
    for (const channel of state.told)
      tell(channel, { kind: 'resolved', id: `${approval.id}-${channel.name}-end`, approval });
  }

  function tell(channel: Channel, of: Omit<Notice, 'url' | 'at'>): void {
    const at = now();
    const minute = minuteOf(channel, at);
    if (minute.sent >= mostEachMinute) {
      minute.more++;
      if (minute.more === 1) timers.set(() => summary(channel, minute, of.approval), minute.until - at);
      return;
    }
    minute.sent++;
    attempt(channel, { ...of, url: url(of.approval.id), at }, 1);
  }

  function minuteOf(channel: Channel, at: number) {
    const known = minutes.get(channel);
    if (known && at < known.until) return known;
    const fresh = { until: at + 60_000, sent: 0, more: 0 };
    minutes.set(channel, fresh);
    return fresh;
  }

  /** So that a flood of requests is one message and not a hundred. */
  function summary(
    channel: Channel,
    minute: { readonly until: number; readonly more: number },
    approval: Approval,
  ): void {
    const id = `more-${channel.name}-${minute.until}`;
    attempt(channel, { kind: 'more', id, approval, url: url(''), at: now(), count: minute.more }, 1);
  }

  function attempt(channel: Channel, notice: Notice, nth: number): void {
    // What is over need not be told that it waits.
    const stale = notice.kind !== 'resolved' && notice.kind !== 'more' && !waiting.has(notice.approval.id);
    if (closed || stale) return;
    channel.send(notice).then(
      () => options.told(channel.name, notice),
      (error: Error) => {
        options.told(channel.name, notice, error);
        if (nth < tries) timers.set(() => attempt(channel, notice, nth + 1), firstRetryMs * 5 ** (nth - 1));
      },
    );
  }

  return {
    close() {
      closed = true;
      off();
      for (const state of waiting.values()) for (const timer of state.timers) timers.clear(timer);
      waiting.clear();
    },
  };
}
