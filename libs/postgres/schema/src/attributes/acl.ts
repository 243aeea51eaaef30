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

/** Of a table before 17, which then brought MAINTAIN. */
const ALL_BEFORE_17 = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];

/**
 * Who had all privileges on a table has all that a newer server knows, as GRANT ALL would give it. Its owner has
 * MAINTAIN in any case: before, owners needed no privilege to vacuum.
 */
export function withMaintain<Item extends AclItem>(
  items: readonly Item[],
  { owner, ...versions }: { readonly from: number; readonly to: number; readonly owner: string },
): Item[] {
  if (versions.from >= MAINTAIN_SINCE || versions.to < MAINTAIN_SINCE) return [...items];
  const holders = Map.groupBy(
    items.filter(({ column }) => column === null),
    ({ grantee, grantor }) => JSON.stringify([grantee, grantor]),
  );
  const all = [...holders.values()].filter(
    (held) =>
      held[0]?.grantee === owner || ALL_BEFORE_17.every((name) => held.some(({ privilege }) => privilege === name)),
  );
  // Behind the last of its holder, so that the order of holders stays.
  const added = new Map(
    all.flatMap((held) => {
      const last = held.at(-1);
      const isGrantable = held.every((item) => item.isGrantable);
      return last ? [[last, { ...last, privilege: 'MAINTAIN', isGrantable }] as const] : [];
    }),
  );
  return items.flatMap((item) => [item, ...[added.get(item)].filter((more) => more !== undefined)]);
}

export const MAINTAIN_SINCE = 170_000;

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
