import { describe, expect, it } from '@jest/globals';
import { measureInTurn, medianOf, type System } from './measurement.js';

describe('medianOf', () => {
  it.each([
    [[], null],
    [[3], 3],
    [[5, 1], 3],
    [[9, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %j', (values, median) => {
    expect(medianOf(values)).toBe(median);
  });
});

describe('measureInTurn', () => {
  const system = (name: string, log: string[], verify: () => Promise<void> = () => Promise.resolve()): System => ({
    name,
    prepare: () => Promise.resolve(void log.push(`prepare ${name}`)),
    run: () => Promise.resolve(void log.push(`run ${name}`)),
    verify,
  });

  it('takes turns and prepares before every run', async () => {
    const log: string[] = [];
    await measureInTurn([system('a', log), system('b', log)], { runCount: 2, report: () => undefined });
    const round = ['prepare a', 'run a', 'prepare b', 'run b'];
    expect(log).toEqual([...round, ...round]);
  });

  it('gives no time to a system whose result is not equal, and does not run it again', async () => {
    const log: string[] = [];
    const wrong = system('wrong', log, () => Promise.reject(new Error('differs')));
    const [result] = await measureInTurn([wrong], { runCount: 3, report: () => undefined });
    expect(result).toEqual({ name: 'wrong', runs: [], medianSeconds: null, figures: {}, missing: 'differs' });
    expect(log).toEqual(['prepare wrong', 'run wrong']);
  });
});
