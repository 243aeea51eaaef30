import { unreachable } from '@sluice/kernel';
import { ACTIONS, availableActions, LOADED } from './task-state-actions.js';
import { type Decision, desire, nextEpoch, run, type TaskSituation } from './task-state-situation.js';
import { type TaskAction } from './task-state.js';

export interface Command {
  readonly action: TaskAction;
  /** With `end`: transactions that commit below it are applied, no other. */
  readonly untilLsn?: string | undefined;
}

export type ActionDecision = Decision | { readonly refused: string } | 'deleted';

/** What an order of a person does. */
export function decideAction(situation: TaskSituation, command: Command): ActionDecision {
  const cell = ACTIONS[situation.state][command.action];
  if ('refused' in cell) return cell;
  switch (command.action) {
    case 'start':
      return start(situation);
    case 'pause':
      return { situation: { ...situation, state: 'paused', error: null }, orders: [desire('paused')] };
    case 'resume':
      return goOn(situation);
    case 'retry':
      return retry(situation);
    case 'set_rate_limit':
      // The limit itself is no part of the machine; the order only has to be possible.
      return situation.isLoadFinished ? LOADED : { situation, orders: [] };
    case 'end':
      return end(situation, command.untilLsn ?? null);
    case 'delete':
      return 'deleted';
    default:
      return unreachable(command.action);
  }
}

/** The actions that are offered in the task's state and not refused by its facts. */
export function possibleActions(situation: TaskSituation): readonly TaskAction[] {
  return availableActions(situation.state).filter((action) => {
    const decision = decideAction(situation, { action });
    return decision === 'deleted' || !('refused' in decision);
  });
}

function start(situation: TaskSituation): Decision {
  return {
    situation: { ...nextEpoch(situation), state: 'starting', error: null, connectionTest: null, precheck: null },
    orders: [desire('running'), ...run('connection-test')],
  };
}

/** Continues where the databases say that the work stands. */
function goOn(situation: TaskSituation): Decision {
  const next = { ...nextEpoch(situation), error: null };
  if (!situation.isLoadFinished)
    return { situation: { ...next, state: 'full_load' }, orders: [desire('running'), ...run('full-load')] };
  if (situation.syncType === 'full')
    return { situation: { ...next, state: 'full_load' }, orders: [desire('running'), ...run('cleanup')] };
  return { situation: { ...next, state: 'incremental' }, orders: [desire('running'), ...run('capture', 'apply')] };
}

function retry(situation: TaskSituation): Decision {
  if (situation.state === 'start_failed') return start(situation);
  if (situation.state !== 'end_failed') return goOn(situation);
  if (!situation.isDraining) return cleanUp(nextEpoch(situation));
  return drainAgain(situation, situation.untilLsn);
}

function end(situation: TaskSituation, untilLsn: string | null): Decision {
  if (!situation.isLoadStarted) {
    // The epoch grows so that a test or check that is still running cannot bring the task back.
    const ended: TaskSituation = { ...nextEpoch(situation), state: 'ended', error: null };
    return { situation: ended, orders: [desire('ending')] };
  }
  const isSynchronizing =
    (situation.state === 'paused' || situation.state === 'incremental' || situation.state === 'recovering') &&
    situation.isLoadFinished &&
    situation.syncType !== 'full';
  const isDrainFailed = situation.state === 'end_failed' && situation.isDraining;
  // Without another end it is the order to give the drain up.
  if (isDrainFailed && untilLsn !== null) return drainAgain(situation, untilLsn);
  if (!isSynchronizing) return stopThenCleanUp(situation);
  if (situation.state === 'paused') return drain(situation, untilLsn);
  // The runs that are open learn the order from the desired state and go on to the end.
  return {
    situation: { ...situation, state: 'ending', error: null, isDraining: true, untilLsn },
    orders: [desire('ending', untilLsn)],
  };
}

function drain(situation: TaskSituation, untilLsn: string | null): Decision {
  return {
    situation: { ...nextEpoch(situation), state: 'ending', error: null, isDraining: true, untilLsn },
    orders: [desire('ending', untilLsn), ...run('capture', 'apply')],
  };
}

/** The end that an earlier attempt wrote into the change stream must not be taken for this one's. */
function drainAgain(situation: TaskSituation, untilLsn: string | null): Decision {
  const { situation: next, orders } = drain(situation, untilLsn);
  return { situation: next, orders: [{ kind: 'delete-changes' }, ...orders] };
}

/**
 * Cleanup drops the slot and the bookkeeping, so it must not begin before every open run has said that it stopped:
 * a coordinator that still works would create them anew.
 */
function stopThenCleanUp(situation: TaskSituation): Decision {
  if (situation.openRuns.length === 0) return cleanUp(situation);
  // Capture and apply were told to pause when one of them failed. `ending` would make the other one drain instead.
  const orders = situation.openRuns.some(({ stage }) => stage === 'full-load') ? [desire('ending')] : [];
  return { situation: { ...situation, state: 'ending', error: null, isDraining: false, untilLsn: null }, orders };
}

function cleanUp(situation: TaskSituation): Decision {
  return {
    situation: { ...situation, state: 'ending', error: null, isDraining: false, untilLsn: null },
    orders: [desire('ending'), ...run('cleanup')],
  };
}
