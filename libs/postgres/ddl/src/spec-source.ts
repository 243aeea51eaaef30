import { type Client, inTransaction } from '@sluice/postgres-client';
import {
  decodeBegin,
  decodeMessage,
  decodeRelation,
  MESSAGE_KIND,
  readTuple,
  type Relation,
  rowChange,
  TupleView,
} from '@sluice/postgres-replication';
import { installDdlCapture } from './capture/install-ddl-capture.js';
import { type DdlEvent } from './ddl-event.js';
import { type DdlPlan } from './ddl-plan.js';
import { ddlEventOfMessage, ddlEventOfRow, decodeDdlEvent, isDdlEventTable, isDdlMessage } from './decode-ddl-event.js';
import { type EventSigning, isSigned, readEventSigning } from './event-signing.js';
import { planDdl } from './plan-ddl.js';

/** What is needed of a database here. */
interface Source {
  readonly name: string;
  readonly server: { readonly major: number };
  connect(): Promise<Client>;
}

export const HELPER = 'sluice_spec';

/** Installs the capture and makes a slot, through which its events are read. */
export async function captureDdl(source: Source): Promise<Client> {
  const client = await source.connect();
  await client.query(`CREATE PUBLICATION ${HELPER}`);
  await installDdlCapture(client, { helperName: HELPER, publicationName: HELPER });
  await client.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [source.name]);
  return client;
}

/** The events since the last call, in the order of commits. */
export async function takeEvents(source: Source, client: Client): Promise<DdlEvent[]> {
  const messages = source.server.major >= 14 ? `, 'messages', 'true'` : '';
  const { rows } = await client.query<{ data: Buffer }>(
    `SELECT data FROM pg_logical_slot_get_binary_changes('${source.name}', NULL, NULL, 'proto_version', '1',
      'publication_names', '${HELPER}'${messages})`,
  );
  const { signing } = await readEventSigning(client, HELPER);
  const relations = new Map<number, Relation>();
  let xid = 0;
  const events: DdlEvent[] = [];
  let texts = new Map<string, string>();
  for (const { data } of rows) {
    if (data[0] === MESSAGE_KIND.begin) {
      texts = new Map();
      ({ xid } = decodeBegin(data, 0));
    }
    if (data[0] === MESSAGE_KIND.relation) {
      const relation = decodeRelation(data, 0);
      relations.set(relation.oid, relation);
    }
    const json = data[0] === MESSAGE_KIND.message ? signedEvent(data, signing, xid) : jsonOf(data, relations);
    if (json !== null) events.push(decodeDdlEvent(json, texts));
  }
  return events;
}

/** `null` for what the capture did not write. */
function signedEvent(data: Buffer, signing: EventSigning | null, xid: number): string | null {
  const message = decodeMessage(data, 0);
  if (!isDdlMessage(message, HELPER) || !signing || !isSigned(message.content, signing, xid)) return null;
  return ddlEventOfMessage(message, { isSigned: true });
}

function jsonOf(data: Buffer, relations: ReadonlyMap<number, Relation>): string | null {
  if (data[0] !== MESSAGE_KIND.insert) return null;
  const change = rowChange(data, 0);
  const relation = relations.get(change.relationOid);
  if (!relation || !isDdlEventTable(relation, HELPER)) return null;
  return ddlEventOfRow(relation, data, readTuple(data, change.newTupleOffset, new TupleView()));
}

export async function takePlans(source: Source, client: Client): Promise<DdlPlan[]> {
  return (await takeEvents(source, client)).map((event) => planDdl(event));
}

/** Executes plans as apply does: each in its place, all in one transaction. */
export async function executePlans(target: Client, plans: readonly DdlPlan[]): Promise<void> {
  await inTransaction(target, 'BEGIN', async () => {
    await target.query(`SET LOCAL session_replication_role = replica`);
    for (const plan of plans) if (plan.kind === 'command') await execute(target, plan.command);
  });
}

async function execute(
  target: Client,
  { settings, statement, ownerStatements }: Extract<DdlPlan, { kind: 'command' }>['command'],
): Promise<void> {
  const { rows } = await target.query<{ rolname: string }>('SELECT rolname FROM pg_catalog.pg_roles');
  for (const [name, value] of Object.entries(settings))
    await target.query('SELECT pg_catalog.set_config($1, $2, true)', [name, value]);
  await target.query(statement).catch((error: unknown) => {
    throw new Error(`${statement}\n${String(error)}`, { cause: error });
  });
  for (const owner of ownerStatements)
    if (rows.some(({ rolname }) => rolname === owner.role)) await target.query(owner.statement);
}
