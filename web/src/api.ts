import type { LiveEvent, Problem } from '../../src/api/contract.ts';

/** A refused or failed call; `problem.code` is stable, `problem.message` is for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;
  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }
}

/** An error whose message is for people. */
export class Told extends Error {}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch {
    throw new ApiError(0, {
      code: 'gateway.unreachable',
      message: 'The gateway does not answer. This page tries again by itself.',
    });
  }
  const body: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) {
    const problem = body as Partial<Problem> | undefined;
    throw new ApiError(response.status, {
      code: problem?.code ?? `http.${response.status}`,
      message: problem?.message ?? `The gateway answered ${response.status}.`,
    });
  }
  return body as T;
}

export const read = <T>(path: string): Promise<T> => call<T>(path);

export const send = <T>(path: string, body: unknown): Promise<T> =>
  call<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-countersign': '1' },
    body: JSON.stringify(body),
  });

/** The live line: being opened, up, or lost and being opened again. */
export type Line = 'opening' | 'up' | 'lost';

const againMs = 3_000;

/** Listens for what changed. Returns what stops it. */
export function listen(onEvent: (event: LiveEvent) => void, state: (line: Line) => void): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource('/api/events');
    source.onopen = () => state('up');
    source.onerror = () => {
      state('lost');
      // The browser tries again by itself, but not after an answer that was no stream, such as one of a proxy.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, againMs);
    };
    source.onmessage = (message) => onEvent(JSON.parse(message.data as string) as LiveEvent);
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
