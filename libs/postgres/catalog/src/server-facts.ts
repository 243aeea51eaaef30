import { type ClientBase } from 'pg';
import { readRows, sql } from './sql.js';

export interface ServerFacts {
  /** `server_version_num`, e.g. 150017. */
  readonly versionNum: number;
  readonly major: number;
  /** Names the cluster whatever its address; `null` when the role may not ask. */
  readonly systemIdentifier: string | null;
  readonly walLevel: string;
  readonly isInRecovery: boolean;
  readonly maxReplicationSlots: number;
  readonly usedReplicationSlots: number;
  readonly maxWalSenders: number;
  readonly usedWalSenders: number;
  /** `null` where the setting is unknown (before 13); -1 is unlimited. */
  readonly maxSlotWalKeepSizeMb: number | null;
  readonly encoding: string;
  readonly lcCollate: string;
  readonly currentUser: string;
  readonly isSuperuser: boolean;
  readonly canReplicate: boolean;
  readonly databaseOid: number;
  readonly databaseName: string;
}

/** Roles of managed services whose members may open a replication connection without the attribute REPLICATION. */
const REPLICATION_ROLES = ['rds_replication'];

/** Tested on PostgreSQL 10–18. */
export async function readServerFacts(client: ClientBase): Promise<ServerFacts> {
  const query = sql`
    SELECT current_setting('server_version_num')::int AS "versionNum",
      current_setting('server_version_num')::int / 10000 AS major,
      current_setting('wal_level') AS "walLevel",
      pg_catalog.pg_is_in_recovery() AS "isInRecovery",
      current_setting('max_replication_slots')::int AS "maxReplicationSlots",
      (SELECT count(*)::int FROM pg_catalog.pg_replication_slots) AS "usedReplicationSlots",
      current_setting('max_wal_senders')::int AS "maxWalSenders",
      (SELECT count(*)::int FROM pg_catalog.pg_stat_replication) AS "usedWalSenders",
      (SELECT s.setting::int FROM pg_catalog.pg_settings s WHERE s.name = 'max_slot_wal_keep_size')
        AS "maxSlotWalKeepSizeMb",
      pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
      d.datcollate AS "lcCollate",
      r.rolname AS "currentUser",
      r.rolsuper AS "isSuperuser",
      r.rolsuper OR r.rolreplication OR EXISTS (
        SELECT FROM pg_catalog.pg_roles m
        WHERE m.rolname = ANY ($1::text[]) AND pg_catalog.pg_has_role(r.oid, m.oid, 'MEMBER')) AS "canReplicate",
      d.oid AS "databaseOid",
      d.datname AS "databaseName"
    FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
    WHERE d.datname = current_database() AND r.rolname = current_user`;
  const [facts] = await readRows<Omit<ServerFacts, 'systemIdentifier'>>(client, query, [REPLICATION_ROLES]);
  if (!facts) throw new Error('the server does not list its own database and role');
  return { ...facts, systemIdentifier: await readSystemIdentifier(client) };
}

/** Asked for apart: the privilege is checked when a statement starts, even if the call in it is never reached. */
async function readSystemIdentifier(client: ClientBase): Promise<string | null> {
  const [permission] = await readRows<{ allowed: boolean }>(
    client,
    sql`SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS allowed`,
  );
  if (permission?.allowed !== true) return null;
  const [control] = await readRows<{ id: string }>(
    client,
    sql`SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()`,
  );
  return control?.id ?? null;
}
