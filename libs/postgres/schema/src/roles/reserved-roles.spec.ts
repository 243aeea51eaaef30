import { describe, expect, it } from '@jest/globals';
import { isReservedRole } from './reserved-roles.js';

describe('isReservedRole', () => {
  it.each([
    'pg_monitor',
    'rds_superuser',
    'rdsadmin',
    'cloudsqlsuperuser',
    'alloydbadmin',
    'azure_pg_admin',
    'azuresu',
  ])('%s belongs to the server or its service', (name) => expect(isReservedRole(name)).toBe(true));

  it.each(['app', 'rdshop', 'azuresubscription', 'pgbouncer', 'PG_x'])('%s is a name like any other', (name) => {
    expect(isReservedRole(name)).toBe(false);
  });
});
