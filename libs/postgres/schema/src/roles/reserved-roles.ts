/** Roles that managed services make for themselves: Amazon RDS and Aurora, Google Cloud SQL and AlloyDB, Azure. */
const MANAGED = /^(rds_|rdsadmin$|rdsproxyadmin$|rdstopmgr$|rdsrepladmin$|cloudsql|alloydb|azure_|azuresu$)/;

/** Names that belong to the server or to the service that runs it. */
export function isReservedRole(name: string): boolean {
  return name.startsWith('pg_') || MANAGED.test(name);
}
