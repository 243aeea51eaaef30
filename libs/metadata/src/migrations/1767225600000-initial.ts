import { type MigrationInterface, type QueryRunner } from 'typeorm';

const STATEMENTS = [
  `CREATE TABLE tasks (
     id uuid PRIMARY KEY,
     position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
     name text NOT NULL,
     description text NOT NULL,
     sync_type text NOT NULL,
     state text NOT NULL,
     epoch integer NOT NULL,
     is_load_started boolean NOT NULL,
     is_load_finished boolean NOT NULL,
     is_draining boolean NOT NULL,
     until_lsn text,
     error jsonb,
     connection_test jsonb,
     precheck jsonb,
     desired jsonb,
     created_at timestamptz NOT NULL,
     updated_at timestamptz NOT NULL
   )`,
  `CREATE UNIQUE INDEX tasks_name ON tasks (lower(name))`,
  `CREATE TABLE task_credentials (
     task_id uuid PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
     key_id text NOT NULL,
     wrapped_key bytea NOT NULL,
     sealed bytea NOT NULL
   )`,
  `CREATE TABLE task_runs (
     run_id uuid PRIMARY KEY,
     task_id uuid NOT NULL REFERENCES tasks ON DELETE CASCADE,
     stage text NOT NULL,
     epoch integer NOT NULL,
     is_recovering boolean NOT NULL,
     last_sign_at text,
     message jsonb NOT NULL,
     trace jsonb NOT NULL,
     created_at timestamptz NOT NULL,
     ended_at timestamptz
   )`,
  `CREATE UNIQUE INDEX task_runs_open ON task_runs (task_id, stage) WHERE ended_at IS NULL`,
  `CREATE TABLE outbox (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     task_id uuid NOT NULL,
     message jsonb NOT NULL,
     trace jsonb NOT NULL,
     created_at timestamptz NOT NULL,
     sent_at timestamptz
   )`,
  `CREATE INDEX outbox_unsent ON outbox (task_id, id) WHERE sent_at IS NULL`,
  `CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL`,
  `CREATE TABLE api_keys (
     id uuid PRIMARY KEY,
     name text NOT NULL,
     key_hash bytea NOT NULL UNIQUE,
     created_at timestamptz NOT NULL,
     revoked_at timestamptz
   )`,
  `CREATE TABLE idempotency_keys (
     actor text NOT NULL,
     key text NOT NULL,
     request_mac bytea NOT NULL,
     task_id uuid NOT NULL REFERENCES tasks ON DELETE CASCADE,
     PRIMARY KEY (actor, key)
   )`,
  `CREATE TABLE audit_events (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     at timestamptz NOT NULL,
     actor text NOT NULL,
     action text NOT NULL,
     task_id uuid,
     task_name text,
     outcome text NOT NULL,
     address text,
     trace_id text
   )`,
  `CREATE TABLE alarms (
     event_id uuid PRIMARY KEY,
     position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
     task_id uuid NOT NULL,
     task_name text NOT NULL,
     kind text NOT NULL,
     state text NOT NULL,
     error jsonb,
     at timestamptz NOT NULL
   )`,
  `CREATE INDEX alarms_task ON alarms (task_id, position)`,
  `CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'audit_events is append-only'; END $$`,
  `CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`,
];

/** PostgreSQL 11 and later (EXECUTE FUNCTION); the tables land in the schema of the search path. */
export class Initial1767225600000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `DROP TABLE alarms, audit_events, idempotency_keys, api_keys, outbox, task_runs, task_credentials, tasks`,
    );
    await queryRunner.query(`DROP FUNCTION refuse_audit_change()`);
  }
}
