import { type DdlDecision, type DdlOptions, EVERYTHING, type ObjectSelection, SluiceError } from '@sluice/contracts';
import { type PostgresMajor } from '@sluice/embedded';
import { judgeObjects } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { installDdlCapture, readEventSigning } from '@sluice/postgres-ddl';
import {
  ensureCheckpointTable,
  type ExecutedDdl,
  type SourceTransaction,
  TargetSession,
} from '@sluice/postgres-writer';
import { randomUUID } from 'node:crypto';
import { expectSameRows } from './expect-same-rows.js';
import { startRecording, takeRecorded } from './recorded-changes.js';
import { testDatabase, type TestDatabase } from './test-database.js';

/** A source whose DDL is captured and recorded, and a target. */
export class DdlPair implements AsyncDisposable {
  readonly taskId = randomUUID();
  readonly helperName = `sluice_${this.taskId.replaceAll('-', '')}`;
  readonly executed: ExecutedDdl[] = [];
  /** Messages that had the form of an event, and were left out. */
  forgedCount = 0;
  readonly #isOld: boolean;

  readonly source: TestDatabase;
  readonly target: TestDatabase;

  private constructor(
    databases: { source: TestDatabase; target: TestDatabase },
    readonly recorder: Client,
    sourceMajor: PostgresMajor,
  ) {
    ({ source: this.source, target: this.target } = databases);
    this.#isOld = sourceMajor < 14;
  }

  static async create(schema: string, majors: { source: PostgresMajor; target: PostgresMajor }): Promise<DdlPair> {
    const source = await testDatabase({ schema, major: majors.source });
    const target = await testDatabase({ schema, major: majors.target });
    const recorder = await source.connect();
    const setup = new DdlPair({ source, target }, recorder, majors.source);
    await recorder.query('CREATE PUBLICATION made_first');
    await installDdlCapture(recorder, { helperName: setup.helperName, publicationName: 'made_first' });
    await startRecording(recorder);
    // As a task publishes: new tables not by themselves.
    await recorder.query('DROP PUBLICATION recorded; CREATE PUBLICATION recorded FOR TABLE t, child');
    if (setup.#isOld) await recorder.query(`ALTER PUBLICATION recorded ADD TABLE ${setup.helperName}.ddl_event`);
    await ensureCheckpointTable(await target.connect());
    await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [setup.taskId, '0/0']);
    return setup;
  }

  open(
    options: {
      policies?: DdlOptions['policies'];
      decisions?: readonly DdlDecision[];
      objects?: ObjectSelection;
    } = {},
  ): Promise<TargetSession> {
    return TargetSession.open(this.target.endpoint, {
      taskId: this.taskId,
      judge: judgeObjects(options.objects ?? EVERYTHING),
      ddl: {
        helperName: this.helperName,
        policies: options.policies ?? {},
        decisions: options.decisions ?? [],
        signing: () => readEventSigning(this.recorder, this.helperName),
        onForged: (count) => {
          this.forgedCount += count;
        },
        onExecuted: (ddl) => this.executed.push(...ddl),
      },
    });
  }

  /** What the source sends for statements that are run each by itself. */
  async record(...statements: string[]): Promise<SourceTransaction[]> {
    for (const statement of statements) await this.recorder.query(statement);
    const recorded = await takeRecorded(this.recorder, { messages: !this.#isOld });
    return recorded.map(({ frames, ...transaction }) => ({
      ...transaction,
      runs: [{ buffer: frames, start: 0, end: frames.length }],
      sizeBytes: frames.length,
    }));
  }

  async expectSame(): Promise<void> {
    await expectSameRows(this.source, this.target, { excludeSchemas: ['sluice', this.helperName] });
  }

  pending(): Promise<readonly { table_name: string }[]> {
    return this.target.query('SELECT table_name FROM sluice.adoption ORDER BY 1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.target[Symbol.asyncDispose]();
    await this.source[Symbol.asyncDispose]();
  }
}

/** What a piece of work fails with, which must have a code. */
export async function failureOf(work: Promise<unknown>): Promise<SluiceError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof SluiceError) return error;
  throw new Error(`no failure with a code: ${String(error)}`);
}
