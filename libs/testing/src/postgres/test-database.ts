import { type PostgresMajor, type PostgresServer } from '@sluice/embedded';
import { Secret } from '@sluice/kernel';
import { type Client, connect, type Endpoint, quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { randomBytes } from 'node:crypto';
import { dropDatabase } from './drop-database.js';
import { testServer } from './test-server.js';

export interface TestDatabaseOptions {
  readonly server?: PostgresServer;
  readonly major?: PostgresMajor;
  /** Default: UTF8. Any other comes with locale C, which fits all. */
  readonly encoding?: string;
  /** SQL to run in the new database. */
  readonly schema?: string;
  /** Default: a random one. */
  readonly name?: string;
}

export type Row = Readonly<Record<string, unknown>>;

export interface TestDatabase extends AsyncDisposable {
  readonly server: PostgresServer;
  readonly name: string;
  /** As superuser. */
  readonly endpoint: Endpoint;
  readonly url: string;
  /** One after the other on one session. */
  query<R extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]>;
  /** One more session, closed with the database. */
  connect(settings?: Readonly<Record<string, string>>): Promise<Client>;
  /** A role that can log in, dropped with the database. @param attributes for example `REPLICATION`. */
  createRole(attributes?: string): Promise<Endpoint>;
}

/** Far from UTC, with minutes, and never what a developer's machine is set to: a value that went through a local time shows. */
const ODD_TIME_ZONE = 'Asia/Kathmandu';

/** A database for one test. Disposal ends its sessions and drops its slots, then the database, then its roles. */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = options.server ?? (await testServer(options.major === undefined ? {} : { major: options.major }));
  const name = options.name ?? `t_${randomBytes(6).toString('hex')}`;
  await createDatabase(server, { name, encoding: options.encoding ?? 'UTF8' });
  const database = new ServerDatabase(server, name);
  if (options.schema !== undefined) {
    try {
      await database.query(options.schema);
    } catch (error) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }
  return database;
}

async function createDatabase(
  server: PostgresServer,
  { name, encoding }: { name: string; encoding: string },
): Promise<void> {
  const locale = encoding === 'UTF8' ? '' : ` LC_COLLATE 'C' LC_CTYPE 'C'`;
  await using admin = await connect(server.endpoint('postgres'), { applicationName: 'test setup' });
  await admin.query(
    `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0 ENCODING ${quoteLiteral(encoding)}${locale}`,
  );
  await admin.query(`ALTER DATABASE ${quoteIdentifier(name)} SET timezone TO ${quoteLiteral(ODD_TIME_ZONE)}`);
}

class ServerDatabase implements TestDatabase {
  readonly server: PostgresServer;
  readonly name: string;
  readonly #clients: Client[] = [];
  readonly #roles: string[] = [];
  #session: Promise<Client> | null = null;

  constructor(server: PostgresServer, name: string) {
    this.server = server;
    this.name = name;
  }

  get endpoint(): Endpoint {
    return this.server.endpoint(this.name);
  }

  get url(): string {
    return this.server.url(this.name);
  }

  async query<R extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]> {
    const session = await (this.#session ??= this.#openSession());
    const { rows } = await session.query<R>(sql, parameters && [...parameters]);
    // Several statements in one text give an array of results, which has no rows.
    return rows ?? [];
  }

  /** The server may end it, as when a test restarts that; the next query then gets another one. */
  async #openSession(): Promise<Client> {
    const session = await this.connect();
    session.once('end', () => {
      this.#session = null;
    });
    return session;
  }

  async connect(settings?: Readonly<Record<string, string>>): Promise<Client> {
    const client = await connect(this.endpoint, { applicationName: 'test', ...(settings && { settings }) });
    this.#clients.push(client);
    return client;
  }

  async createRole(attributes = ''): Promise<Endpoint> {
    const user = `r_${randomBytes(6).toString('hex')}`;
    const password = randomBytes(12).toString('hex');
    await this.query(`CREATE ROLE ${user} LOGIN PASSWORD ${quoteLiteral(password)} ${attributes}`);
    this.#roles.push(user);
    return { ...this.endpoint, user, password: new Secret(password) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A session that the test already closed, or the server ended, rejects.
    await Promise.allSettled(this.#clients.map((client) => client.end()));
    if (this.server.isRunning()) await dropDatabase(this.server, this.name, this.#roles);
  }
}
