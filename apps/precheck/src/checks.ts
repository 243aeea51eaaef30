import { type Check } from './check.js';
import { names } from './checks/names.js';
import { notSameDatabase } from './checks/not-same-database.js';
import { selectedObjectsExist } from './checks/selected-objects-exist.js';
import { selectionClosed } from './checks/selection-closed.js';
import { sourceDdlCapture } from './checks/source-ddl-capture.js';
import { sourceLargeObjects } from './checks/source-large-objects.js';
import { sourceLongTransactions } from './checks/source-long-transactions.js';
import { sourceNotStandby } from './checks/source-not-standby.js';
import { sourcePrivileges } from './checks/source-privileges.js';
import { sourceReplicaIdentity } from './checks/source-replica-identity.js';
import { sourceReplicationSlots } from './checks/source-replication-slots.js';
import { sourceRowSecurity } from './checks/source-row-security.js';
import { sourceTruncate } from './checks/source-truncate.js';
import { sourceUnsupportedObjects } from './checks/source-unsupported-objects.js';
import { sourceVersion } from './checks/source-version.js';
import { sourceWalKeep } from './checks/source-wal-keep.js';
import { sourceWalLevel } from './checks/source-wal-level.js';
import { sourceWalSenders } from './checks/source-wal-senders.js';
import { targetEmpty } from './checks/target-empty.js';
import { targetEncoding } from './checks/target-encoding.js';
import { targetExtensions } from './checks/target-extensions.js';
import { targetPrivileges } from './checks/target-privileges.js';
import { targetStructure } from './checks/target-structure.js';
import { targetVersion } from './checks/target-version.js';
import { targetWritable } from './checks/target-writable.js';
import { users } from './checks/users.js';

/** All checks in the order of the report; each stands after those it depends on. */
export const CHECKS: readonly Check[] = [
  sourceVersion,
  targetVersion,
  notSameDatabase,
  sourceNotStandby,
  targetWritable,
  sourceWalLevel,
  sourceReplicationSlots,
  sourceWalSenders,
  sourceWalKeep,
  sourceLongTransactions,
  selectedObjectsExist,
  selectionClosed,
  sourcePrivileges,
  sourceRowSecurity,
  sourceReplicaIdentity,
  sourceTruncate,
  sourceDdlCapture,
  sourceLargeObjects,
  sourceUnsupportedObjects,
  targetPrivileges,
  targetEmpty,
  targetExtensions,
  targetEncoding,
  users,
  names,
  targetStructure,
];
