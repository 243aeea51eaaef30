import { describe, expect, it } from '@jest/globals';
import { type RuntimeContext } from '@sluice/service-runtime';
import { type ConnectionTestConfig } from './connection-test.config.js';
import { QuestionPlaces } from './question-places.js';

function places(count: number): QuestionPlaces {
  return new QuestionPlaces({
    config: { SLUICE_CONNECTION_TEST_CONCURRENCY: count },
  } as RuntimeContext<ConnectionTestConfig>);
}

const never = new AbortController().signal;

describe('QuestionPlaces', () => {
  it('lets in as many as there are places, and the next when one is free', async () => {
    const bounded = places(2);
    const begun: number[] = [];
    const ends = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const works = ends.map(({ promise }, index) =>
      bounded.use(never, () => {
        begun.push(index);
        return promise;
      }),
    );
    await Promise.resolve();
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    ends[1]?.resolve();
    await works[1];
    ends[0]?.resolve();
    ends[2]?.resolve();
    await Promise.all(works);
    expect(begun).toEqual([0, 1, 2]);
  });

  it('lets go who has run out of time, and gives its place to nobody', async () => {
    const bounded = places(1);
    const end = Promise.withResolvers<void>();
    const first = bounded.use(never, () => end.promise);
    const late = new AbortController();
    const second = bounded.use(late.signal, async () => 'never');
    late.abort(new Error('too late'));
    await expect(second).rejects.toThrow('too late');
    end.resolve();
    await first;
    expect(await bounded.use(never, async () => 'here')).toBe('here');
    await expect(bounded.use(late.signal, async () => 'never')).rejects.toThrow('too late');
  });

  it('has its place again when the work fails', async () => {
    const bounded = places(1);
    await expect(bounded.use(never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await bounded.use(never, async () => 'here')).toBe('here');
  });
});
