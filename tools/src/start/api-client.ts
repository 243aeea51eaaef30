import {
  type CreateTaskRequest,
  type ErrorCode,
  ERRORS,
  ProblemDocument,
  SluiceError,
  TaskResource,
} from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

/** A request that takes longer is lost with a process that was killed. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Task management may just be restarting; its supervisor brings it back within seconds. */
const ATTEMPTS = 30;
const ATTEMPT_INTERVAL_MS = 500;

const TaskList = z.object({ items: z.array(TaskResource) });

export type TaskAction = 'start' | 'pause' | 'resume' | 'retry' | 'end';

/** The REST API of task management, as any other program would use it. */
export class ApiClient {
  readonly #baseUrl: string;
  readonly #adminKey: string;
  readonly #signal: AbortSignal;

  /** @param baseUrl without `/api/v1`. */
  constructor(baseUrl: string, adminKey: string, signal: AbortSignal) {
    this.#baseUrl = baseUrl;
    this.#adminKey = adminKey;
    this.#signal = signal;
  }

  /** The same API for what has to be done after the signal. */
  until(signal: AbortSignal): ApiClient {
    return new ApiClient(this.#baseUrl, this.#adminKey, signal);
  }

  async createTask(request: z.input<typeof CreateTaskRequest>): Promise<TaskResource> {
    const headers = { 'idempotency-key': randomUUID() };
    return TaskResource.parse((await this.#send('POST', '/tasks', { body: request, headers })).body);
  }

  async getTask(id: string): Promise<TaskResource> {
    return TaskResource.parse((await this.#send('GET', `/tasks/${id}`)).body);
  }

  async listTasks(): Promise<TaskResource[]> {
    return TaskList.parse((await this.#send('GET', '/tasks')).body).items;
  }

  async act(id: string, action: TaskAction, body: object = {}): Promise<void> {
    let isRepeated = false;
    const onRepeat = (): void => {
      isRepeated = true;
    };
    try {
      await this.#send('POST', `/tasks/${id}/${action}`, { body, onRepeat });
    } catch (error) {
      // The first one was carried out and its answer was lost: now the task is past it.
      if (isRepeated && error instanceof SluiceError && error.code === 'SLUICE-6003') return;
      throw error;
    }
  }

  /** Repeats a request that was not answered. */
  async #send(method: 'GET' | 'POST', path: string, options: SendOptions = {}): Promise<{ readonly body: unknown }> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#sendOnce(method, path, options);
      } catch (error) {
        this.#signal.throwIfAborted();
        if (error instanceof SluiceError || attempt >= ATTEMPTS) throw unreachableApi(this.#baseUrl, error);
        options.onRepeat?.();
        await delay(ATTEMPT_INTERVAL_MS, this.#signal);
      }
    }
  }

  async #sendOnce(method: string, path: string, { body, headers }: SendOptions): Promise<{ readonly body: unknown }> {
    const response = await fetch(`${this.#baseUrl}/api/v1${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${this.#adminKey}`, 'content-type': 'application/json' },
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return { body: text === '' ? {} : JSON.parse(text) };
    throw refused(`${method} /api/v1${path}`, response.status, text);
  }
}

interface SendOptions {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onRepeat?: () => void;
}

function unreachableApi(baseUrl: string, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new SluiceError('SLUICE-9001', { detail: `the API at ${baseUrl} does not answer: ${why}`, cause: error });
}

/** Server errors while the service starts are answers too, but none of ours. */
function refused(request: string, status: number, text: string): Error {
  const problem = ProblemDocument.safeParse(parseJson(text));
  if (!problem.success) return new Error(`${request} was answered with status ${status}`);
  const { code, detail, remedy, errors } = problem.data;
  const fields = (errors ?? []).map(({ path, message }) => `${path}: ${message}`).join('; ');
  // An answer of the server's trouble, not ours: it may be another one in a moment.
  if (status >= 500) return new Error(`${request} was answered with ${code}: ${detail}`);
  return new SluiceError(isCatalogued(code) ? code : 'SLUICE-6001', {
    detail: `${request} was refused: ${detail}${fields && ` (${fields})`}`,
    remedy,
  });
}

function isCatalogued(code: string): code is ErrorCode {
  return code in ERRORS;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
