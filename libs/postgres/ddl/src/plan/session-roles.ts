import { quoteIdentifier } from '@sluice/postgres-client';
import { type CapturedDdl } from '../ddl-event.js';
import { type Fields, fields, list, type ParsedStatement } from '../parse/statements.js';
import { walk } from '../parse/walk.js';
import { type Edit, keyword, type Token } from '../splice.js';

/** A role that the statement means without naming it, which would be another one on the target. */
interface SessionRole {
  readonly name: string;
  /** Where it is written, in bytes from the statement's beginning; null when it is not written at all. */
  readonly location: number | null;
}

const WORDS = ['CURRENT_USER', 'CURRENT_ROLE', 'SESSION_USER'];

/** CURRENT_USER and the like, and whose default privileges change; null inside functions, which may run as somebody else. */
export function sessionRoles(event: CapturedDdl, { kind, node, start }: ParsedStatement): SessionRole[] | null {
  const { user, sessionUser } = event;
  const written = [...walk(node)].flatMap((role): SessionRole[] => {
    const { roletype, location } = role;
    if (typeof location !== 'number' || !isSessionRole(roletype)) return [];
    return [{ name: roletype === 'ROLESPEC_SESSION_USER' ? sessionUser : user, location: location - start }];
  });
  const roles =
    kind === 'AlterDefaultPrivilegesStmt' && !namesRoles(node) ? [...written, { name: user, location: null }] : written;
  return roles.length > 0 && event.context !== '' ? null : roles;
}

function isSessionRole(roleType: unknown): boolean {
  return WORDS.some((word) => roleType === `ROLESPEC_${word}`);
}

function namesRoles(node: Fields): boolean {
  return list(node['options']).some((option) => fields(fields(option)['DefElem'])['defname'] === 'roles');
}

export function withSessionRoles(words: readonly Token[], roles: readonly SessionRole[]): Edit[] {
  return roles.flatMap(({ name, location }) => {
    if (location === null) {
      const privileges = words.find((word) => keyword(word) === 'PRIVILEGES');
      return privileges
        ? [{ start: privileges.end, end: privileges.end, text: ` FOR ROLE ${quoteIdentifier(name)}` }]
        : [];
    }
    const word = words.find(({ start }) => start === location);
    return word ? [{ start: word.start, end: word.end, text: quoteIdentifier(name) }] : [];
  });
}
