import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { LimitShares } from './limit-shares.js';

const LIMIT = 1_000_000;
const STEP_MS = 100;
const ANNOUNCED_EVERY_STEPS = 5;

type Session = ReturnType<LimitShares['join']>;

/** Processes that hear each other, by one clock. */
function processes() {
  let nowMs = 0;
  const all: { readonly shares: LimitShares; readonly id: string; isAlive: boolean }[] = [];
  const announce = (from: (typeof all)[number]): void => {
    const presence = { version: 1, taskId: randomUUID(), processId: from.id, sessions: from.shares.sessions } as const;
    if (from.isAlive) all.forEach(({ shares }) => shares.heard(presence));
  };
  return {
    add: () => {
      const id = randomUUID();
      const one = { id, shares: new LimitShares(id, () => nowMs), isAlive: true };
      all.push(one);
      const join = (): Session => {
        const session = one.shares.join();
        announce(one);
        return session;
      };
      return { join, die: () => void (one.isAlive = false) };
    },
    /** Calls `each` at every step. */
    pass: (ms: number, each: () => void = () => undefined) => {
      for (const endMs = nowMs + ms; nowMs < endMs; nowMs += STEP_MS) {
        each();
        if ((nowMs / STEP_MS) % ANNOUNCED_EVERY_STEPS === 0) all.forEach(announce);
      }
    },
  };
}

const shareOf = ({ share }: Session): number => share(LIMIT) ?? Number.POSITIVE_INFINITY;

describe('the shares of a limit', () => {
  it('never add up to more, whoever joins and leaves, and to all of it afterwards', () => {
    const { add, pass } = processes();
    const sessions: Session[] = [];
    const total = (): number => sessions.map(shareOf).reduce((sum, share) => sum + share, 0);
    const isWithin = (): void => expect(total()).toBeLessThanOrEqual(LIMIT + 1);
    const [a, b, c] = [add(), add(), add()];
    for (const join of [a.join, b.join, b.join, c.join, a.join, c.join]) {
      sessions.push(join());
      pass(700, isWithin);
    }
    pass(2_000, isWithin);
    expect(total()).toBeCloseTo(LIMIT);
    sessions.splice(0, 2).forEach(({ leave }) => leave());
    pass(2_000, isWithin);
    expect(total()).toBeCloseTo(LIMIT);
  });

  it('of processes that begin together add up to no more, too', () => {
    const { add, pass } = processes();
    const sessions = Array.from({ length: 4 }, () => add().join());
    pass(3_000, () => expect(sessions.reduce((sum, one) => sum + shareOf(one), 0)).toBeLessThanOrEqual(LIMIT));
    expect(sessions.map(shareOf)).toEqual([1, 1, 1, 1].map((part) => (part * LIMIT) / 4));
  });

  it('wait for the others when a limit begins, and do not exist without one', () => {
    const { add, pass } = processes();
    const session = add().join();
    pass(5_000, () => expect(session.share(null)).toBeNull());
    pass(900, () => expect(session.share(LIMIT)).toBe(0));
    pass(500, () => session.share(LIMIT));
    expect(session.share(LIMIT)).toBe(LIMIT);
    expect(session.share(null)).toBeNull();
    expect(session.share(LIMIT)).toBe(0);
  });

  it('of a process that died fall to the others', () => {
    const { add, pass } = processes();
    const [dying, staying] = [add(), add()];
    const session = staying.join();
    dying.join();
    pass(2_000);
    session.share(LIMIT);
    pass(2_000);
    expect(shareOf(session)).toBe(LIMIT / 2);
    dying.die();
    pass(3_000);
    expect(shareOf(session)).toBe(LIMIT);
  });
});
