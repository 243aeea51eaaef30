import { type DdlAction, type DdlClass, type DdlDecision, type DdlOptions } from '@sluice/contracts';
import { type Lsn, parseLsn } from '@sluice/model';
import { type Client, hasSqlState, quoteQualified, SQLSTATE } from '@sluice/postgres-client';
import {
  type DdlCommand,
  type DdlPlan,
  type DdlTableFacts,
  ddlEventOfRow,
  decodeDdlEvent,
  isDdlEventTable,
  isDdlMessage,
  planDdl,
  type SigningRead,
  splitAlteration,
  type StatementTexts,
  type StoredTable,
} from '@sluice/postgres-ddl';
import {
  decodeRelation,
  type LogicalMessage,
  readTuple,
  type Relation,
  type RowChange,
  TupleView,
} from '@sluice/postgres-replication';
import { type AddedColumns } from './add-columns.js';
import { FoldedStatementFailed } from './apply-failure.js';
import { type ApplyMode } from './change-applier.js';
import { ddlError, ddlFailed, type ShownDdl } from './ddl-failure.js';
import { runOrFail, runStatement, type StatementContext } from './ddl-statement.js';
import { emptyTable, findDifference, readExistingRoles } from './ddl-target.js';
import { EventMessages, type MessagePlace } from './event-messages.js';
import { type PendingTables } from './pending-tables.js';
import { startKey } from './relation-registry.js';
import { type Gate, type NameChanges, SelectionGate } from './selection-gate.js';
import { partitionAncestors } from './target-relations.js';
import { type TaskObjects } from './task-objects.js';

/** Where a DDL stands in the stream: found again by it after a restart. */
export interface DdlPlace {
  readonly commitLsn: Lsn;
  /** Its position among the DDL of its transaction, from 1. */
  readonly number: number;
}

/**
 * `postponed`: it, or what of it can be done then only, until the tables that it needs have their rows.
 * `outside`: left out, as it is about objects that do not belong to the task.
 */
export type DdlOutcome = 'applied' | 'skipped' | 'replaced' | 'postponed' | 'outside';

export interface ExecutedDdl {
  readonly place: DdlPlace;
  readonly tag: string;
  readonly identity: string | null;
  readonly outcome: DdlOutcome;
  /** Why it was skipped. */
  readonly reason?: string;
}

export interface DdlSettings {
  /** Prefix of the messages that carry events; before PostgreSQL 14 the schema of the table that does. */
  readonly helperName: string;
  readonly policies: DdlOptions['policies'];
  readonly decisions: readonly DdlDecision[];
  /** For sources where DDL may not be captured. */
  readonly addedColumns?: AddedColumns | undefined;
  /** What events in messages are signed with; `isAnew`: as it is now. */
  readonly signing: (options: { readonly isAnew: boolean }) => Promise<SigningRead>;
  /** How many messages of a committed transaction had the form of an event, and were not written by the capture. */
  readonly onForged: (count: number) => void;
  /** Told when the transaction is committed. */
  readonly onExecuted: (ddl: readonly ExecutedDdl[]) => void;
}

interface DdlRunnerOptions extends DdlSettings {
  readonly pending: PendingTables;
  readonly objects: TaskObjects;
  readonly startLsns: ReadonlyMap<string, Lsn>;
}

interface DdlAt {
  readonly place: DdlPlace;
  readonly mode: ApplyMode;
  readonly texts: StatementTexts;
}

/** Where the target goes back to when a statement has to wait for rows. */
const SAVEPOINT = 'sluice_ddl';
const OWNER_CHANGE = /\bOWNER\s+TO\b/i;

/**
 * Executes the source's DDL in the target's open transaction, in its place among the rows.
 *
 * Maintained invariant: what it writes belongs to the transaction of the rows and of the checkpoint, so that no DDL is
 * executed twice, and none is lost (I2).
 */
export class DdlRunner {
  readonly #client: Client;
  readonly #options: DdlRunnerOptions;
  /** Of sources that are older than PostgreSQL 14, by OID. */
  readonly #eventTables = new Map<number, Relation>();
  readonly #tuple = new TupleView();
  readonly #messages: EventMessages;
  readonly #gate: SelectionGate;
  #executed: ExecutedDdl[] = [];
  #isOpen = false;

  constructor(client: Client, options: DdlRunnerOptions) {
    this.#client = client;
    this.#options = options;
    this.#messages = new EventMessages(options);
    this.#gate = new SelectionGate(client, options.objects);
  }

  /** The event in a message of the transaction; `null` for a message that is not from the capture. */
  /** It has the form of an event; whose it is, `eventOfMessage` tells. */
  isMessage(message: LogicalMessage): boolean {
    return isDdlMessage(message, this.#options.helperName);
  }

  eventOfMessage(message: LogicalMessage, transaction: MessagePlace): Promise<string | null> {
    return this.#messages.eventOf(message, transaction);
  }

  noteRelation(message: Buffer): void {
    const relation = decodeRelation(message, 0);
    if (isDdlEventTable(relation, this.#options.helperName)) this.#eventTables.set(relation.oid, relation);
  }

  isEventTable(oid: number): boolean {
    return this.#eventTables.has(oid);
  }

  /** The event in a row of that table; `null` for other changes of it. */
  eventOf(oid: number, buffer: Buffer, { operation, newTupleOffset }: RowChange): string | null {
    const relation = this.#eventTables.get(oid);
    if (!relation || operation !== 'I') return null;
    return ddlEventOfRow(relation, buffer, readTuple(buffer, newTupleOffset, this.#tuple));
  }

  /**
   * Everything before it must have succeeded on the target.
   * @throws SluiceError 5013, 5014; FoldedStatementFailed instead of them in folded mode, as transactions before it are to be
   * committed first; 5011 and others that pass by themselves.
   */
  async execute(json: string, { place, mode, texts }: DdlAt): Promise<void> {
    this.#isOpen = true;
    this.#options.pending.touch(place.commitLsn);
    const event = decodeDdlEvent(json, texts);
    const plan = planDdl(event);
    if (plan.kind === 'ignored') return;
    try {
      await this.#carryOut(plan, place, event.kind === 'ddl' ? event.settings : {});
    } catch (error) {
      if (mode === 'exact' || !isFinal(error)) throw error;
      throw new FoldedStatementFailed('a DDL', { cause: error });
    }
  }

  commit(): void {
    const executed = this.#executed;
    this.#executed = [];
    this.#isOpen = false;
    const forgedCount = this.#messages.takeForgedCount();
    if (forgedCount > 0) this.#options.onForged(forgedCount);
    if (executed.length > 0) this.#options.onExecuted(executed);
  }

  /** @returns true when a DDL was rolled back: the target's tables are as they were. */
  rollback(): boolean {
    const wasOpen = this.#isOpen;
    this.#messages.takeForgedCount();
    this.#executed = [];
    this.#isOpen = false;
    return wasOpen;
  }

  async #carryOut(
    plan: Exclude<DdlPlan, { kind: 'ignored' }>,
    place: DdlPlace,
    settings: DdlCommand['settings'],
  ): Promise<void> {
    const ddl = shownOf(plan);
    const gate = await this.#gate.judge(plan.kind === 'command' ? plan.command : plan);
    if ('except' in gate) await this.#noteNames(gate);
    if (gate.kind === 'outside') {
      this.#note(ddl, { place, outcome: 'outside' });
      return;
    }
    const decision = decisionOn(this.#options.decisions, place);
    const action = decision?.decision ?? this.#policyOf(ddl.class);
    const command = plan.kind === 'command' ? onlyOwn(plan.command, gate) : null;
    if (action === 'stop')
      throw ddlError('SLUICE-5014', { ddl, place, reason: `DDL of class ${ddl.class} stops the task` });
    if (action === 'skip') {
      if (gate.kind === 'enters')
        await this.#noteNames({ except: gate.objects.map((object) => ({ ...object, isSelected: false })), forget: [] });
      this.#note(ddl, { place, outcome: 'skipped', reason: decision ? 'decided' : 'policy' });
      return;
    }
    if (decision?.decision === 'replace') {
      await this.#replace(decision.statement, { ddl, place, settings, command });
      return;
    }
    if (gate.kind === 'enters') throw ddlError('SLUICE-5016', { ddl, place, reason: namesOf(gate.objects) });
    if (gate.kind === 'unclear') throw ddlError('SLUICE-5013', { ddl, place, reason: gate.reason });
    if (!command) {
      const reason = plan.kind === 'unattributable' ? plan.reason : 'unknown';
      throw ddlError('SLUICE-5013', { ddl, place, reason: `it is not certain what was executed: ${reason}` });
    }
    const missingRoles = await this.#missingRoles(command);
    if (missingRoles.length > 0 && (command.class === 'grant' || OWNER_CHANGE.test(command.statement))) {
      // As in the full load: what belongs to roles that the target lacks is left out.
      this.#note(ddl, { place, outcome: 'skipped', reason: `no role ${missingRoles.join(', ')} on the target` });
      return;
    }
    await this.#apply(command, { ddl, place });
  }

  async #apply(command: DdlCommand, { ddl, place }: { ddl: ShownDdl; place: DdlPlace }): Promise<void> {
    const recopied = await this.#own(this.#recopied(command, place));
    for (const table of recopied) {
      // Order: before the statement, which need not hold for rows that are as of another moment.
      if (await emptyTable(this.#client, table)) await this.#options.pending.add(this.#client, table);
    }
    for (const { oid } of command.droppedTables) await this.#options.pending.remove(this.#client, oid);
    const outcome = await this.#runOrPostpone(command, { ddl, place });
    if (outcome === 'postponed') {
      this.#note(ddl, { place, outcome });
      return;
    }
    await this.#setOwners(command, { ddl, place });
    for (const table of command.changedTables) {
      if (table.kind !== 'r' && table.kind !== 'p') continue;
      const difference = await findDifference(this.#client, table);
      if (difference !== null) throw ddlError('SLUICE-5013', { ddl, place, reason: difference });
    }
    await this.#noteTables(command);
    this.#note(ddl, { place, outcome: outcome === 'split' ? 'postponed' : outcome });
    if (command.droppedTables.length > 0) await this.#finish();
  }

  /** The person's statement instead; what it makes of a new table is filled as that of the source would be. */
  async #replace(
    statement: string,
    { ddl, place, settings, command }: StatementContext & { readonly command: DdlCommand | null },
  ): Promise<void> {
    const recopied = command ? await this.#own(this.#recopied(command, place)) : [];
    for (const { oid } of command?.droppedTables ?? []) await this.#options.pending.remove(this.#client, oid);
    await runOrFail(this.#client, statement, { ddl: { ...ddl, statement }, place, settings });
    for (const table of recopied) {
      if (await emptyTable(this.#client, table)) await this.#options.pending.add(this.#client, table);
    }
    if (command) await this.#noteTables(command);
    this.#note(ddl, { place, outcome: 'replaced' });
    if (command && command.droppedTables.length > 0) await this.#finish();
  }

  /** `split`: all of it was done but what needs the rows of pending tables, which waits for them, as all of it does when `postponed`. */
  async #runOrPostpone(
    command: DdlCommand,
    { ddl, place }: { ddl: ShownDdl; place: DdlPlace },
  ): Promise<'applied' | 'split' | 'postponed'> {
    const { statement, settings } = command;
    const context = { ddl, place, settings };
    if (this.#options.pending.isEmpty) {
      await runOrFail(this.#client, statement, context);
      return 'applied';
    }
    if (await this.#try(statement, context)) {
      if (command.class === 'materialized_view') await this.#refreshLater(command, place);
      return 'applied';
    }
    const halves = splitAlteration(statement);
    const isSplit = halves !== null && (await this.#tryHalf(halves.now, context));
    const waiting = isSplit ? halves.later : statement;
    if (!(await this.#postpone(waiting, command, place)))
      throw ddlError('SLUICE-5013', { ddl, place, reason: 'it needs rows that are not there yet' });
    return isSplit ? 'split' : 'postponed';
  }

  /** @returns false when it needs the rows of pending tables and has to wait for them; nothing of it is done then. */
  async #try(statement: string, context: StatementContext): Promise<boolean> {
    await this.#client.query(`SAVEPOINT ${SAVEPOINT}`);
    try {
      await runStatement(this.#client, statement, context);
    } catch (error) {
      if (!hasSqlState(error, SQLSTATE.foreignKeyViolation)) throw ddlFailed(context.ddl, context.place, error);
      await this.#client.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
      return false;
    }
    await this.#client.query(`RELEASE SAVEPOINT ${SAVEPOINT}`);
    return true;
  }

  /** @returns false also when the target refuses it: the half may need what the other one makes. */
  async #tryHalf(statement: string, context: StatementContext): Promise<boolean> {
    try {
      return await this.#try(statement, context);
    } catch (error) {
      if (!isFinal(error)) throw error;
      await this.#client.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
      return false;
    }
  }

  /** Its rows come from tables that may be empty now. */
  async #refreshLater(command: DdlCommand, place: DdlPlace): Promise<void> {
    const { tag, identity, settings } = command;
    if (identity === null || !/^(CREATE|REFRESH) /.test(tag)) return;
    const ddl = { ...shownCommand(command), statement: null };
    await this.#options.pending.postpone(this.#client, { relation: identity, ddl, place, settings });
  }

  /** @returns false when nothing would remember it. */
  async #postpone(statement: string, command: DdlCommand, place: DdlPlace): Promise<boolean> {
    const [table] = command.changedTables;
    if (!table) return false;
    return this.#options.pending.postpone(this.#client, {
      relation: quoteQualified(table.schema, table.name),
      ddl: { ...shownCommand(command), statement },
      place,
      settings: command.settings,
    });
  }

  async #finish(): Promise<void> {
    this.#executed.push(...(await this.#options.pending.finish(this.#client, this.#options.decisions)));
  }

  /** New tables are empty until their rows are copied. */
  async #noteTables({ createdTables, renamedTables }: DdlCommand): Promise<void> {
    const { pending } = this.#options;
    for (const table of createdTables) {
      if (await emptyTable(this.#client, table)) await pending.add(this.#client, table);
    }
    for (const { oid, to } of renamedTables) if (pending.has(oid)) await pending.add(this.#client, { oid, ...to });
  }

  /**
   * Tables whose rows are not what the stream makes of them: rewritten on the source, or copied by the load as of a
   * later moment than this DDL, of which the copy knew nothing.
   */
  #recopied({ changedTables, recopyTables, class: kind, tag }: DdlCommand, { commitLsn }: DdlPlace): StoredTable[] {
    const isCopiedLater = (table: DdlTableFacts): boolean =>
      kind === 'table' &&
      tag.startsWith('ALTER') &&
      (this.#options.startLsns.get(startKey(table)) ?? commitLsn) > commitLsn;
    const copiedLater = changedTables.filter((table) => table.kind === 'r' && isCopiedLater(table));
    // Those of the plan first: partitions that get a value are among them, though only their root was altered.
    return [...new Map([...recopyTables, ...copiedLater].map((table) => [table.oid, table])).values()];
  }

  /** A statement on a parent names its children, of which the target may have others of the same name. */
  async #own(tables: readonly StoredTable[]): Promise<StoredTable[]> {
    const { objects } = this.#options;
    if (objects.isEverything) return [...tables];
    const own: StoredTable[] = [];
    for (const table of tables) {
      const ancestors = await partitionAncestors(this.#client, table);
      if (objects.has({ kind: 'table', schema: table.schema, name: table.name }, ancestors)) own.push(table);
    }
    return own;
  }

  async #setOwners({ ownerStatements }: DdlCommand, { ddl, place }: { ddl: ShownDdl; place: DdlPlace }): Promise<void> {
    const roles = await readExistingRoles(
      this.#client,
      ownerStatements.map(({ role }) => role),
    );
    for (const { role, statement } of ownerStatements) {
      if (roles.has(role))
        await runOrFail(this.#client, statement, { ddl: { ...ddl, statement }, place, settings: {} });
    }
  }

  async #missingRoles({ roles }: DdlCommand): Promise<string[]> {
    const existing = await readExistingRoles(this.#client, roles);
    return roles.filter((role) => !existing.has(role));
  }

  async #noteNames({ except, forget }: NameChanges): Promise<void> {
    const { objects } = this.#options;
    for (const object of forget) await objects.forget(this.#client, object);
    for (const exception of except) await objects.except(this.#client, exception);
  }

  #policyOf(kind: DdlClass): DdlAction {
    return this.#options.policies[kind] ?? 'apply';
  }

  #note({ tag, identity }: ShownDdl, executed: Omit<ExecutedDdl, 'tag' | 'identity'>): void {
    this.#executed.push({ ...executed, tag, identity });
  }
}

/** The part of a command that is about objects of the task, with the tables that come to it. */
function onlyOwn(command: DdlCommand, gate: Gate): DdlCommand {
  if (gate.kind === 'enters') return { ...command, createdTables: [...command.createdTables, ...gate.tables] };
  if (gate.kind !== 'inside' || gate.only === null || !command.statementFor) return command;
  return { ...command, statement: command.statementFor(gate.only) };
}

function namesOf(objects: readonly { readonly schema: string; readonly name: string }[]): string {
  return objects.map(({ schema, name }) => quoteQualified(schema, name)).join(', ');
}

export function decisionOn(
  decisions: readonly DdlDecision[],
  { commitLsn, number }: DdlPlace,
): DdlDecision | undefined {
  return decisions.findLast((decision) => decision.number === number && parseLsn(decision.commitLsn) === commitLsn);
}

function shownCommand({ tag, identity, class: kind, statement }: DdlCommand): ShownDdl {
  return { tag, identity, class: kind, statement };
}

function shownOf(plan: Exclude<DdlPlan, { kind: 'ignored' }>): ShownDdl & { readonly class: DdlClass } {
  if (plan.kind === 'unattributable') return { ...plan, statement: plan.text };
  return plan.command;
}

/** A person decides on it. */
const FINAL = ['SLUICE-5013', 'SLUICE-5014', 'SLUICE-5016'];

function isFinal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FINAL.includes(String(error.code));
}
