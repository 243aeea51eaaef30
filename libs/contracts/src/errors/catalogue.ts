/** What the system does about an error by itself. */
export type RetryPolicy =
  /** Retried for ever with capped, jittered backoff: the network or a restarting server. */
  | 'backoff'
  /** Retried three times, then the task fails. */
  | 'limited'
  /** Never retried: a person has to act. Authentication failures are here, as a retry can lock the account. */
  | 'manual';

export interface ErrorSpec {
  readonly title: string;
  readonly httpStatus: number;
  readonly retry: RetryPolicy;
  readonly remedy: string;
}

/** Ranges: 1xxx connection, 2xxx precheck, 3xxx full load, 4xxx capture, 5xxx apply, 6xxx task and API, 7xxx messaging, 8xxx this machine (npm start), 9xxx internal. Codes are never reused. */
export const ERRORS = {
  'SLUICE-1001': {
    title: 'Unknown host',
    httpStatus: 422,
    retry: 'backoff',
    remedy: 'Check the host name and the DNS of the machine that runs the service.',
  },
  'SLUICE-1002': {
    title: 'Server unreachable',
    httpStatus: 422,
    retry: 'backoff',
    remedy: 'Check network, firewall and port between the service and the server.',
  },
  'SLUICE-1003': {
    title: 'Connection refused',
    httpStatus: 422,
    retry: 'backoff',
    remedy: 'Check that the server runs, its port, and listen_addresses in postgresql.conf.',
  },
  'SLUICE-1004': {
    title: 'No pg_hba.conf entry',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'Add the shown line to pg_hba.conf on the server and reload it (SELECT pg_reload_conf()).',
  },
  'SLUICE-1005': {
    title: 'Wrong user or password',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'Correct the user name or the password. It is not retried, so that the account is not locked.',
  },
  'SLUICE-1006': {
    title: 'Role cannot log in',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'ALTER ROLE … LOGIN, or use another role.',
  },
  'SLUICE-1007': {
    title: 'Database does not exist',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'Create the database or correct its name.',
  },
  'SLUICE-1008': {
    title: 'TLS could not be agreed',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'Match the TLS mode with what the server offers (ssl in postgresql.conf, hostssl in pg_hba.conf).',
  },
  'SLUICE-1009': {
    title: 'Server certificate not accepted',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'Give the CA that signed the certificate, renew it, or use the host name that it was issued for.',
  },
  'SLUICE-1010': {
    title: 'Too many connections',
    httpStatus: 422,
    retry: 'backoff',
    remedy: 'Free connections or raise max_connections on the server.',
  },
  'SLUICE-1011': {
    title: 'Server is starting up, shutting down or recovering',
    httpStatus: 422,
    retry: 'backoff',
    remedy: 'Wait until the server accepts connections.',
  },
  'SLUICE-1012': {
    title: 'Connection lost',
    httpStatus: 502,
    retry: 'backoff',
    remedy: 'Nothing to do when it is rare; otherwise check the network and the server log.',
  },
  'SLUICE-1013': {
    title: 'Role may not open a replication connection',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'ALTER ROLE … REPLICATION (or the managed-service role, e.g. rds_replication).',
  },
  'SLUICE-1014': {
    title: 'Server refused to be looked at',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'See the error of the server; grant what it names, or wait until who holds the lock is done.',
  },
  'SLUICE-2001': {
    title: 'Precheck failed',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'Fix the failed items; each names its reason and its fix.',
  },
  'SLUICE-3001': {
    title: 'Structure could not be created on the target',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'See the statement and the error; create what is missing or leave the object out.',
  },
  'SLUICE-3002': {
    title: 'Object exists on the target already',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Drop or rename it on the target, or choose an empty target database.',
  },
  'SLUICE-3003': {
    title: 'Snapshot was lost',
    httpStatus: 409,
    retry: 'limited',
    remedy: 'The load goes on by itself: unfinished tables start over under a new snapshot.',
  },
  'SLUICE-3004': {
    title: 'Copy of a table failed',
    httpStatus: 422,
    retry: 'limited',
    remedy: 'See the error of the server for the table named.',
  },
  'SLUICE-3005': {
    title: 'Replication slot could not be created',
    httpStatus: 422,
    retry: 'limited',
    remedy: 'End the transactions named as blockers, or free a replication slot.',
  },
  'SLUICE-3006': {
    title: 'Index or constraint could not be built',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'See the statement and the error of the server.',
  },
  'SLUICE-3007': {
    title: 'Selected objects need others that are not selected',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Add what is named to the objects of the task, or take out what needs it.',
  },
  'SLUICE-3020': {
    title: 'Role could not be synchronized',
    httpStatus: 422,
    retry: 'manual',
    remedy:
      'See the reason for the role named; grant what is missing to the account of the target, then retry the task.',
  },
  'SLUICE-4001': {
    title: 'Replication slot is missing',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Somebody dropped the slot: changes since then are gone. Start the task over with a new full load.',
  },
  'SLUICE-4002': {
    title: 'Replication slot is in use',
    httpStatus: 409,
    retry: 'backoff',
    remedy:
      'Another reader holds the slot; it is ended by itself. If it persists, look who reads it in pg_stat_replication.',
  },
  'SLUICE-4003': {
    title: 'Replication slot was invalidated',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'WAL that the slot needs is gone. Start over with a new full load and raise max_slot_wal_keep_size.',
  },
  'SLUICE-4004': {
    title: 'Replication stream violates the protocol',
    httpStatus: 500,
    retry: 'limited',
    remedy: 'Report this with the log of the capture service.',
  },
  'SLUICE-4005': {
    title: 'Publication was changed or dropped',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Restore the publication with its tables; changes made meanwhile need a new full load.',
  },
  'SLUICE-4006': {
    title: 'Table is not replicated',
    httpStatus: 409,
    retry: 'manual',
    remedy:
      'It was created after the load, or taken out of the publication. Drop it if it is new, or end the task and start a new one; its changes are not on the target.',
  },
  'SLUICE-4007': {
    title: 'Change stream is not replicated',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'Use confirm "applied", or run nats-server as a cluster and set SLUICE_BUS_REPLICAS to 3 or 5.',
  },
  'SLUICE-4008': {
    title: 'DDL of the source cannot be captured',
    httpStatus: 422,
    retry: 'manual',
    remedy:
      'Let a superuser install the event trigger with the statements shown, or switch the synchronization of DDL off.',
  },
  'SLUICE-4009': {
    title: 'Source is of another history',
    httpStatus: 409,
    retry: 'manual',
    remedy:
      'It is another server, or a standby was promoted that lacks WAL which was read already. Start over with a new full load.',
  },
  'SLUICE-4010': {
    title: 'Text of the source has no UTF-8 form',
    httpStatus: 422,
    retry: 'manual',
    remedy:
      'A change holds bytes that the encoding of the source database does not define, or that are no text in it. Correct the rows, then start over with a new full load.',
  },
  'SLUICE-5001': {
    title: 'Duplicate key on the target',
    httpStatus: 409,
    retry: 'manual',
    remedy:
      'Look at both rows (GET /tasks/{id}/conflicts?rows=true), remove the one in the way on the target, then retry the task.',
  },
  'SLUICE-5002': {
    title: 'Row is missing on the target',
    httpStatus: 409,
    retry: 'manual',
    remedy:
      'Look at the change (GET /tasks/{id}/conflicts?rows=true), restore the row on the target, then retry the task.',
  },
  'SLUICE-5003': {
    title: 'Change could not be applied',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'See the error of the server for the table named.',
  },
  'SLUICE-5004': {
    title: 'Another writer took over',
    httpStatus: 409,
    retry: 'limited',
    remedy: 'Nothing to do: a newer run of this task owns the target.',
  },
  'SLUICE-5005': {
    title: 'Checkpoint is behind the replication slot',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'The target was restored to an older state: changes in between are gone. Start over with a new full load.',
  },
  'SLUICE-5006': {
    title: 'Table differs between source and target',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Bring the target table to the columns of the source, then retry the task.',
  },
  'SLUICE-5007': {
    title: 'Change stream has a gap',
    httpStatus: 409,
    retry: 'backoff',
    remedy: 'It heals by itself: capture reads again from the checkpoint.',
  },
  'SLUICE-5008': {
    title: 'Target is read-only or in recovery',
    httpStatus: 409,
    retry: 'backoff',
    remedy: 'Make the target writable.',
  },
  'SLUICE-5009': {
    title: 'Target is out of resources',
    httpStatus: 507,
    retry: 'backoff',
    remedy: 'Free disk space or memory on the target.',
  },
  'SLUICE-5010': {
    title: 'Source and target differ',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'See the tables named; find out who else writes to the target.',
  },
  'SLUICE-5011': {
    title: 'Lock conflict on the target',
    httpStatus: 409,
    retry: 'backoff',
    remedy: 'It is tried again by itself; if it persists, look in pg_locks of the target who holds the table.',
  },
  'SLUICE-5012': {
    title: 'End lies before the tables are of one moment',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'End the task with an untilLsn that is not below the position named.',
  },
  'SLUICE-5013': {
    title: 'DDL could not be applied to the target',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Make the target ready for the statement shown and retry, or decide to skip or to replace it.',
  },
  'SLUICE-5014': {
    title: 'DDL of a kind that stops the task',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Decide to skip or to replace the statement shown, then retry the task.',
  },
  'SLUICE-5015': {
    title: 'Table could not join the running task',
    httpStatus: 422,
    retry: 'limited',
    remedy: 'See the error of the server for the table named.',
  },
  'SLUICE-5016': {
    title: 'A DDL brings a table into the selection that the target does not have',
    httpStatus: 409,
    retry: 'manual',
    remedy:
      'Replace it by the statement that creates the table as it is on the source (its rows are copied then), or skip it: the table stays outside of the task.',
  },
  'SLUICE-6001': { title: 'Invalid request', httpStatus: 400, retry: 'manual', remedy: 'Correct the fields named.' },
  'SLUICE-6002': { title: 'Not found', httpStatus: 404, retry: 'manual', remedy: 'Check the id.' },
  'SLUICE-6003': {
    title: 'Action not allowed in this state',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Use one of the allowed actions.',
  },
  'SLUICE-6004': { title: 'Name is taken', httpStatus: 409, retry: 'manual', remedy: 'Choose another name.' },
  'SLUICE-6005': {
    title: 'Authentication required',
    httpStatus: 401,
    retry: 'manual',
    remedy: 'Send an API key as "Authorization: Bearer …".',
  },
  'SLUICE-6006': {
    title: 'Changed by somebody else meanwhile',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Read it again and repeat the request.',
  },
  'SLUICE-6007': { title: 'Request is too large', httpStatus: 413, retry: 'manual', remedy: 'Send a smaller body.' },
  'SLUICE-6008': {
    title: 'Project is not empty',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'End and delete its tasks first.',
  },
  'SLUICE-6009': {
    title: 'The default project stays',
    httpStatus: 409,
    retry: 'manual',
    remedy: 'Tasks that name no project go there; rename it instead.',
  },
  'SLUICE-6010': {
    title: 'API key has expired',
    httpStatus: 401,
    retry: 'manual',
    remedy: 'Use another key; an administrator can create one.',
  },
  'SLUICE-6011': {
    title: 'API key was revoked',
    httpStatus: 401,
    retry: 'manual',
    remedy: 'Use another key; an administrator can create one.',
  },
  'SLUICE-6012': {
    title: 'Not allowed for this API key',
    httpStatus: 403,
    retry: 'manual',
    remedy: 'Use a key with the role that the detail names.',
  },
  'SLUICE-6013': {
    title: 'The task was changed meanwhile',
    httpStatus: 412,
    retry: 'manual',
    remedy: 'Read the task, look whether the order still makes sense, and repeat it with the new ETag.',
  },
  'SLUICE-6014': {
    title: 'Too many requests',
    httpStatus: 429,
    retry: 'backoff',
    remedy: 'Wait as long as Retry-After says; ask less often, or follow the events.',
  },
  'SLUICE-7001': { title: 'Message bus unavailable', httpStatus: 503, retry: 'backoff', remedy: 'Check nats-server.' },
  'SLUICE-7002': {
    title: 'Message could not be understood',
    httpStatus: 500,
    retry: 'manual',
    remedy: 'Run the same version of all services.',
  },
  'SLUICE-7003': {
    title: 'No worker answered',
    httpStatus: 503,
    retry: 'backoff',
    remedy: 'Check that the service named runs and that the database answers; its log says more.',
  },
  'SLUICE-7004': {
    title: 'Answer does not fit in a message',
    httpStatus: 422,
    retry: 'manual',
    remedy: 'Ask for less at once: a smaller page, or a narrower search.',
  },
  'SLUICE-8001': {
    title: 'Data directory cannot be used',
    httpStatus: 500,
    retry: 'manual',
    remedy: 'Choose a directory that this user can write to (--keep DIR).',
  },
  'SLUICE-8002': {
    title: 'Not enough disk space',
    httpStatus: 507,
    retry: 'manual',
    remedy: 'Free disk space, or choose a directory on another disk (--keep DIR).',
  },
  'SLUICE-8003': {
    title: 'Port is taken',
    httpStatus: 500,
    retry: 'manual',
    remedy: 'Stop the process that listens on it, or choose another port (--port N).',
  },
  'SLUICE-8004': {
    title: 'Server program could not be installed or started',
    httpStatus: 500,
    retry: 'manual',
    remedy: 'See the lines of its log.',
  },
  'SLUICE-8005': {
    title: 'Service did not become ready',
    httpStatus: 500,
    retry: 'manual',
    remedy: 'See the last lines of its log.',
  },
  'SLUICE-8006': {
    title: 'Helper objects were left behind',
    httpStatus: 500,
    retry: 'manual',
    remedy: 'Drop them with the statements shown.',
  },
  'SLUICE-9001': {
    title: 'Internal error',
    httpStatus: 500,
    retry: 'limited',
    remedy: 'Report this with the log and the trace id.',
  },
} as const satisfies Record<`SLUICE-${number}`, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;
