import { assert } from '@sluice/kernel';
import {
  classifyConnectError,
  clientConfig,
  connectInOwnBytes,
  type Endpoint,
  VALUE_SETTINGS,
} from '@sluice/postgres-client';
import { type SourceIdentity } from '@sluice/model';
import { Socket } from 'node:net';
import pg from 'pg';
import { identifySource } from './identify-source.js';

export interface WalConnection {
  readonly socket: Socket;
  readonly isUnixSocket: boolean;
  /** 0 when the source waits for ever. */
  readonly walSenderTimeoutMs: number;
  /** Who answers; null when the server does not tell where its timelines began. */
  readonly source: SourceIdentity | null;
  /** From now on the socket's bytes go to `reader` and not to `pg`. */
  takeOver(reader: SocketReader): void;
}

export interface SocketReader {
  /** The memory to read into; asked for again after every `filled`. */
  space(): Buffer;
  filled(length: number): void;
  /** Bytes in memory that is not ours (TLS). */
  append(chunk: Uint8Array): void;
}

/** Only the login and a SHOW pass through it. */
const LOGIN_BUFFER_BYTES = 64 * 1024;

/**
 * Logs in with `pg` and keeps the socket. Without TLS the socket reads into our own memory, and `pause()` really stops
 * reading from the kernel: an ordinary Node socket goes on until its high-water mark, waking up for every small message.
 */
export async function openWalConnection(endpoint: Endpoint, applicationName: string): Promise<WalConnection> {
  const direct = endpoint.tls.mode === 'disable' ? new DirectSocket() : null;
  const config = clientConfig(endpoint, { applicationName, settings: VALUE_SETTINGS, replication: 'database' });
  const client = new pg.Client({ ...config, ...(direct && { stream: () => direct.socket }) });
  client.on('error', () => undefined);
  try {
    await connectInOwnBytes(client);
    const walSenderTimeoutMs = await readWalSenderTimeout(client);
    const source = await identifySource(client);
    const socket = client.connection.stream;
    assert(socket instanceof Socket, 'pg must use a socket');
    // `pg` is out from here on: its parser would make an object of each message.
    socket.removeAllListeners('data');
    return {
      socket,
      isUnixSocket: endpoint.host.startsWith('/'),
      walSenderTimeoutMs,
      source,
      takeOver: (reader) => {
        if (direct) direct.reader = reader;
        else socket.on('data', (chunk: Buffer) => reader.append(chunk));
      },
    };
  } catch (error) {
    client.connection.stream.destroy();
    throw classifyConnectError(error, endpoint);
  }
}

async function readWalSenderTimeout(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ setting: string }>(
    "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'",
  );
  return Number(rows[0]?.setting ?? 0);
}

/** A socket that reads into memory of its reader; until one is set, it emits `data` as `pg` expects. */
class DirectSocket {
  readonly socket: Socket;
  reader: SocketReader | null = null;
  #loginBuffer = Buffer.allocUnsafeSlow(LOGIN_BUFFER_BYTES);

  constructor() {
    const options = {
      onread: {
        buffer: () => this.reader?.space() ?? this.#loginBuffer,
        callback: (length: number, buffer: Uint8Array) => this.#onRead(length, buffer),
      },
    };
    this.socket = new Socket(options);
  }

  #onRead(length: number, buffer: Uint8Array): boolean {
    const space = this.reader?.space();
    // The memory of a read is chosen after the read before it. The reader may have moved on since: at the take-over, and
    // when it hands out what it held back. Then the bytes lie elsewhere than where it goes on.
    const isInPlace = space?.buffer === buffer.buffer && space.byteOffset === buffer.byteOffset;
    if (this.reader && isInPlace) this.reader.filled(length);
    else if (this.reader) this.reader.append(buffer.subarray(0, length));
    else this.socket.emit('data', Buffer.from(buffer.subarray(0, length)));
    return true;
  }
}
