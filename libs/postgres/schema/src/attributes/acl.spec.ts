import { describe, expect, it } from '@jest/globals';
import { type AclItem, grantsOf } from './acl.js';

const item = (privilege: string, more: Partial<AclItem> = {}): AclItem => ({
  grantee: 'reader',
  grantor: 'owner',
  privilege,
  isGrantable: false,
  column: null,
  ...more,
});

describe('grantsOf', () => {
  it('joins what one GRANT can say and keeps the order of the rest', () => {
    const items = [
      item('SELECT'),
      item('INSERT'),
      item('UPDATE', { isGrantable: true }),
      item('SELECT', { grantee: null }),
      item('SELECT', { column: 'a "b"' }),
    ];
    expect(grantsOf(items, 'TABLE "t"').map(({ sql }) => sql)).toEqual([
      'GRANT SELECT, INSERT ON TABLE "t" TO "reader"',
      'GRANT UPDATE ON TABLE "t" TO "reader" WITH GRANT OPTION',
      'GRANT SELECT ON TABLE "t" TO PUBLIC',
      'GRANT SELECT ("a ""b""") ON TABLE "t" TO "reader"',
    ]);
  });
});
