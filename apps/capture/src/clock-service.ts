import { type ClockReply, clockRequests, type TaskId } from '@sluice/contracts';
import { type Bus, type Listening, serveRequests } from '@sluice/messaging';
import { type SourceClock } from './source-clock.js';

/** Tells apply the time of the source, which only capture asks itself. */
export function serveClock(bus: Bus, taskId: TaskId, clock: SourceClock): Listening {
  return serveRequests(bus, clockRequests, {
    params: { taskId },
    handle: (): Promise<ClockReply> => {
      const nowMs = clock.nowMs();
      return Promise.resolve({ version: 1, sourceTimeMicros: nowMs === null ? null : Math.round(nowMs * 1000) });
    },
  });
}
