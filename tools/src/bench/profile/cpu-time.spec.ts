import { describe, expect, it } from '@jest/globals';
import { backendKind, parseStat, serverUsage } from './cpu-time.js';

describe('parseStat', () => {
  it('reads own and waited-for time behind a name with spaces and parentheses', () => {
    const stat = '7 (a (b) c) S 1 7 7 0 -1 4194560 900 0 0 0 250 50 30 20 20 0 1 0 5000';
    expect(parseStat(stat)).toEqual({ own: 3, endedChildren: 0.5 });
  });
});

describe('backendKind', () => {
  it.each([
    ['postgres: walsender postgres bench 127.0.0.1(40000) START_REPLICATION', 'walsender'],
    ['postgres: checkpointer ', 'checkpointer'],
    ['postgres: logical replication worker for subscription 16433 ', 'logical replication worker'],
    ['postgres: pglogical apply 16433:1234 ', 'pglogical apply'],
    ['postgres: postgres bench_sluice 127.0.0.1(40002) idle', 'backends'],
  ])('of %j is %s', (title, kind) => {
    expect(backendKind(title)).toBe(kind);
  });
});

describe('serverUsage', () => {
  it('counts sessions that began or ended in between by what they used in between', () => {
    const before = {
      endedChildren: 10,
      byPid: new Map([
        [1, { kind: 'postmaster', seconds: 1 }],
        [2, { kind: 'backends', seconds: 5 }],
      ]),
    };
    const after = {
      endedChildren: 17,
      byPid: new Map([
        [1, { kind: 'postmaster', seconds: 1 }],
        [3, { kind: 'backends', seconds: 4 }],
      ]),
    };
    expect(serverUsage(before, after)).toEqual([
      ['backends', 4],
      ['ended sessions', 2],
      ['postmaster', 0],
    ]);
  });
});
