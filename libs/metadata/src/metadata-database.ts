import { type Secret } from '@sluice/kernel';
import { DataSource } from 'typeorm';
import { AlarmLog } from './alarm-log.js';
import { ApiKeys } from './api-keys.js';
import { AuditLog } from './audit-log.js';
import { ConflictLog } from './conflict-log.js';
import { connectionOptions, METADATA_SCHEMA } from './connection-options.js';
import { CredentialVault } from './credential-vault.js';
import { AlarmEntity } from './entities/alarm.entity.js';
import { ApiKeyRoleEntity } from './entities/api-key-role.entity.js';
import { ApiKeyEntity } from './entities/api-key.entity.js';
import { AuditEventEntity } from './entities/audit-event.entity.js';
import { ConflictEntity } from './entities/conflict.entity.js';
import { IdempotencyKeyEntity } from './entities/idempotency-key.entity.js';
import { OutboxMessageEntity } from './entities/outbox-message.entity.js';
import { ProjectEntity } from './entities/project.entity.js';
import { TaskCredentialsEntity } from './entities/task-credentials.entity.js';
import { TaskRunEntity } from './entities/task-run.entity.js';
import { TaskEntity } from './entities/task.entity.js';
import { IdempotentCreation } from './idempotent-creation.js';
import { LOCKS } from './locks.js';
import { Initial1767225600000 } from './migrations/1767225600000-initial.js';
import { RunningTransactions1770076800000 } from './migrations/1770076800000-running-transactions.js';
import { IncrementalOptions1769904000000 } from './migrations/1769904000000-incremental-options.js';
import { Conflicts1769990400000 } from './migrations/1769990400000-conflicts.js';
import { Projects1770163200000 } from './migrations/1770163200000-projects.js';
import { ApiKeyScopes1770249600000 } from './migrations/1770249600000-api-key-scopes.js';
import { AuditDetails1770336000000 } from './migrations/1770336000000-audit-details.js';
import { TaskRevision1770422400000 } from './migrations/1770422400000-task-revision.js';
import { Users1770500000000 } from './migrations/1770500000000-users.js';
import { ObjectSelection1770600000000 } from './migrations/1770600000000-object-selection.js';
import { RateLimit1770700000000 } from './migrations/1770700000000-rate-limit.js';
import { Outbox } from './outbox.js';
import { Projects } from './projects.js';
import { Sealer } from './sealed-box.js';
import { TaskCreator } from './task-creator.js';
import { TaskRepository } from './task-repository.js';

const ENTITIES = [
  TaskEntity,
  TaskRunEntity,
  TaskCredentialsEntity,
  OutboxMessageEntity,
  ApiKeyEntity,
  ApiKeyRoleEntity,
  AuditEventEntity,
  IdempotencyKeyEntity,
  AlarmEntity,
  ConflictEntity,
  ProjectEntity,
];

export interface MetadataOptions {
  readonly url: Secret;
  readonly masterKey: Secret;
}

/** The metadata database: everything that task management remembers. `await using` closes its pool. */
export class MetadataDatabase implements AsyncDisposable {
  readonly tasks: TaskRepository;
  readonly creator: TaskCreator;
  readonly vault: CredentialVault;
  readonly outbox: Outbox;
  readonly apiKeys: ApiKeys;
  readonly projects: Projects;
  readonly audit: AuditLog;
  readonly alarms: AlarmLog;
  readonly conflicts: ConflictLog;
  readonly #dataSource: DataSource;

  private constructor(dataSource: DataSource, sealer: Sealer) {
    const { manager } = dataSource;
    this.#dataSource = dataSource;
    this.audit = new AuditLog(manager);
    this.alarms = new AlarmLog(manager);
    this.conflicts = new ConflictLog(manager);
    this.vault = new CredentialVault(manager, sealer);
    this.tasks = new TaskRepository(dataSource, this.vault, this.audit);
    const tools = { audit: this.audit, idempotency: new IdempotentCreation(sealer) };
    this.creator = new TaskCreator(dataSource, this.vault, tools);
    this.projects = new Projects(dataSource, tools);
    this.outbox = new Outbox(dataSource);
    this.apiKeys = new ApiKeys(dataSource, tools);
  }

  /** Opens the pool and brings the schema up to date. */
  static async open({ url, masterKey }: MetadataOptions): Promise<MetadataDatabase> {
    const dataSource = new DataSource({
      ...connectionOptions(url),
      schema: METADATA_SCHEMA,
      entities: ENTITIES,
      migrations: [
        Initial1767225600000,
        IncrementalOptions1769904000000,
        Conflicts1769990400000,
        RunningTransactions1770076800000,
        Projects1770163200000,
        ApiKeyScopes1770249600000,
        AuditDetails1770336000000,
        TaskRevision1770422400000,
        Users1770500000000,
        ObjectSelection1770600000000,
        RateLimit1770700000000,
      ],
      // An idle connection that the server ends is replaced at the next use; without a listener it would end the process.
      poolErrorHandler: () => undefined,
    });
    await dataSource.initialize();
    try {
      await migrate(dataSource);
    } catch (error) {
      await dataSource.destroy();
      throw error;
    }
    return new MetadataDatabase(dataSource, new Sealer(masterKey));
  }

  /** Rejects when the database does not answer. */
  async ping(): Promise<void> {
    await this.#dataSource.query('SELECT 1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dataSource.destroy();
  }
}

/** One replica migrates, the others wait for it and then find nothing to do. */
async function migrate(dataSource: DataSource): Promise<void> {
  const session = dataSource.createQueryRunner();
  try {
    // Waiting for another replica's migration may take long.
    await session.query('SET statement_timeout = 0');
    await session.query('SELECT pg_advisory_lock($1)', [LOCKS.migrations]);
    await session.query(`CREATE SCHEMA IF NOT EXISTS ${METADATA_SCHEMA}`);
    await dataSource.runMigrations({ transaction: 'all' });
    await session.query('SELECT pg_advisory_unlock($1)', [LOCKS.migrations]);
    await session.query('RESET statement_timeout');
  } finally {
    await session.release();
  }
}
