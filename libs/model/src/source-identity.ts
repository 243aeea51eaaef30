import { assert } from '@sluice/kernel';
import { formatLsn, type Lsn, parseLsn } from './lsn.js';

/** Where a timeline of the source ended and its successor began. */
export interface TimelineSwitch {
  readonly timeline: number;
  /** What was written on that timeline from here on is not part of the successor's history. */
  readonly endLsn: Lsn;
}

/** Which server, and which of its possible histories. Every promotion of a standby begins a new timeline. */
export interface SourceIdentity {
  readonly systemId: string;
  readonly timeline: number;
  /** The timelines before it, oldest first. */
  readonly history: readonly TimelineSwitch[];
}

/** The identity as one line, for headers and for the bookkeeping: `7381… 3 1@0/3000148,2@0/5000060`. */
export function formatSourceIdentity({ systemId, timeline, history }: SourceIdentity): string {
  const switches = history.map((one) => `${one.timeline}@${formatLsn(one.endLsn)}`);
  return [systemId, timeline, ...(switches.length > 0 ? [switches.join(',')] : [])].join(' ');
}

export function parseSourceIdentity(text: string): SourceIdentity {
  const [systemId = '', timeline = '', switches = ''] = text.split(' ');
  assert(/^\d+$/.test(systemId) && /^\d+$/.test(timeline), 'not the identity of a source');
  const history = switches === '' ? [] : switches.split(',').map(parseSwitch);
  return { systemId, timeline: Number(timeline), history };
}

function parseSwitch(text: string): TimelineSwitch {
  const [timeline = '', endLsn = ''] = text.split('@');
  return { timeline: Number(timeline), endLsn: parseLsn(endLsn) };
}

/** What TIMELINE_HISTORY answers: lines of timeline, LSN and reason, separated by tabs. */
export function parseTimelineHistory(content: string): TimelineSwitch[] {
  return content.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line);
    return match?.[1] && match[2] ? [{ timeline: Number(match[1]), endLsn: parseLsn(match[2]) }] : [];
  });
}

/**
 * Why the source that is read now cannot follow what was read before up to `positionLsn`; `null` when it can.
 * A server that was promoted must have had everything up to there when its history left the one that was read.
 */
export function refuseSource(
  now: SourceIdentity,
  before: { readonly source: SourceIdentity; readonly positionLsn: Lsn },
): string | null {
  const { source: known, positionLsn } = before;
  if (now.systemId !== known.systemId)
    return `its system identifier is ${now.systemId}, the task was started against ${known.systemId}`;
  const position = formatLsn(positionLsn);
  const left = leavesAt(now, known);
  if (left === 'nowhere' || (left !== null && left >= positionLsn)) return null;
  if (left === null)
    return `timeline ${now.timeline} does not descend from timeline ${known.timeline}, which was read up to ${position}`;
  return `timeline ${now.timeline} branched off at ${formatLsn(left)}, changes up to ${position} were read already`;
}

/**
 * Where the history that is read now left the one that was read before; `null` when they never were the same. Compares
 * where timelines end, not only their numbers: two standbys can be promoted to the same one.
 */
function leavesAt(now: SourceIdentity, known: SourceIdentity): Lsn | 'nowhere' | null {
  const ours = stretches(now);
  const theirs = stretches(known);
  for (const [index, our] of ours.entries()) {
    const their = theirs[index];
    if (!their || our.timeline !== their.timeline) return ours[index - 1]?.endLsn ?? null;
    if (our.endLsn === their.endLsn) continue;
    return our.endLsn === null || (their.endLsn !== null && their.endLsn < our.endLsn) ? their.endLsn : our.endLsn;
  }
  return 'nowhere';
}

/** A history as timelines from the first to the present one, whose end is open. */
function stretches({ timeline, history }: SourceIdentity): { timeline: number; endLsn: Lsn | null }[] {
  return [...history, { timeline, endLsn: null }];
}
