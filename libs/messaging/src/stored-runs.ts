import { RUNS_STREAM } from '@sluice/contracts';
import { type Bus } from './bus.js';
import { busUnavailable } from './bus-error.js';

/** Subjects of the runs that are waiting or being worked on, to be compared with `stageRuns.format(…)`. Server 2.9 and later. */
export async function storedRunSubjects(bus: Bus): Promise<ReadonlySet<string>> {
  try {
    const { state } = await bus.manager.streams.info(RUNS_STREAM.name, { subjects_filter: '>' });
    return new Set(Object.keys(state.subjects ?? {}));
  } catch (error) {
    throw busUnavailable('list of the stored runs', error);
  }
}
