import { quoteIdentifier } from '@sluice/postgres-client';

/** One privilege of one role, as aclexplode() gives it. */
export interface AclItem {
  /** `null` is PUBLIC. */
  readonly grantee: string | null;
  readonly grantor: string;
  readonly privilege: string;
  readonly isGrantable: boolean;
  readonly column: string | null;
}

/** Runs of items that one GRANT can say. Their order is kept, as the server keeps it in the ACL. */
export function grantsOf(
  items: readonly AclItem[],
  on: string,
): { grantor: string; grantee: string | null; sql: string }[] {
  const runs: AclItem[][] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (last?.[0] && canJoin(last[0], item)) last.push(item);
    else runs.push([item]);
  }
  return runs.flatMap((run) => {
    const [first] = run;
    if (!first) return [];
    const columns = first.column === null ? '' : ` (${quoteIdentifier(first.column)})`;
    const privileges = run.map(({ privilege }) => `${privilege}${columns}`).join(', ');
    const option = first.isGrantable ? ' WITH GRANT OPTION' : '';
    const sql = `GRANT ${privileges} ON ${on} TO ${roleName(first.grantee)}${option}`;
    return [{ grantor: first.grantor, grantee: first.grantee, sql }];
  });
}

export function roleName(role: string | null): string {
  return role === null ? 'PUBLIC' : quoteIdentifier(role);
}

function canJoin(a: AclItem, b: AclItem): boolean {
  return a.grantee === b.grantee && a.grantor === b.grantor && a.isGrantable === b.isGrantable && a.column === b.column;
}
