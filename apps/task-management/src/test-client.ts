import { z } from 'zod';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly headers: Headers;
}

export type Call = (
  method: string,
  path: string,
  options?: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> },
) => Promise<Answer>;

const Body = z.record(z.string(), z.unknown());

/** Calls the API with this key; `path` is below `/api/v1`. */
export function testClient(serviceUrl: string, key: string): Call {
  return async (method, path, { body, headers } = {}) => {
    const response = await fetch(`${serviceUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: Body.parse(text === '' ? {} : JSON.parse(text)),
      text,
      headers: response.headers,
    };
  };
}

/** A task as it is typed in. */
export function taskRequest(name: string, overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const endpoint = (host: string) => ({ host, port: 5432, database: 'shop', user: 'app', password: 'p' });
  return { name, source: endpoint('source.test'), target: endpoint('target.test'), ...overrides };
}
