import { type StageEvent, type StageResult } from '@sluice/contracts';
import {
  ACTIONS,
  decideEvent,
  NEW_TASK,
  TASK_ACTIONS,
  TASK_STAGES,
  TASK_STATES,
  type TaskSituation,
  type TaskStage,
  type TaskState,
} from '@sluice/model';
import { GENERATED_NOTE, markdownTable, page } from './markdown.js';

const OUTCOMES = ['recovering', 'running', 'succeeded', 'failed', 'stopped'] as const;
const ID = '00000000-0000-4000-8000-000000000000';
const ERROR = { code: 'SLUICE-9001', detail: '', remedy: '' };

/** The task machine: the table of actions, and what it does with the events of stage runs. */
export function stateTablePage(): string {
  const actionRows = TASK_STATES.map((state) => [
    `\`${state}\``,
    ...TASK_ACTIONS.map((action) => {
      const cell = ACTIONS[state][action];
      return 'next' in cell ? `→ ${cell.next.map((next) => `**${next}**`).join(' or ')}` : `refused: ${cell.refused}`;
    }),
  ]);
  return page(
    GENERATED_NOTE,
    '# Task states',
    '## Actions',
    'What an order does in each state. A refused one answers 409 with this reason and the allowed actions. Of two states the facts decide: whether the full load is finished; then `set_rate_limit` is refused in every state.',
    markdownTable(['state', ...TASK_ACTIONS], actionRows),
    '## Events of stage runs',
    'What changes when a run that is open in the present epoch reports. What is not listed changes no state. In brackets: what is published.',
    markdownTable(['state', 'stage', 'outcome', 'leads to'], TASK_STATES.flatMap(eventRows)),
  );
}

function eventRows(state: TaskState): readonly (readonly string[])[] {
  return TASK_STAGES.flatMap((stage) =>
    OUTCOMES.flatMap((outcome) => {
      const effects = new Set(situations(state, stage).flatMap((situation) => effectOf(situation, stage, outcome)));
      return effects.size === 0 ? [] : [[`\`${state}\``, stage, outcome, [...effects].join('; or ')]];
    }),
  );
}

/** Every combination of facts in which this run can be open in this state. */
function situations(state: TaskState, stage: TaskStage): readonly TaskSituation[] {
  const possible = STAGES_OPEN_IN[state] ?? [];
  if (!possible.includes(stage)) return [];
  const run = { runId: ID, stage, isRecovering: state === 'recovering', lastSignAt: null };
  const base = { ...NEW_TASK, state, openRuns: [run], isLoadStarted: true };
  const isSynchronizing = stage === 'capture' || stage === 'apply';
  return (['full', 'full_and_incremental'] as const).flatMap((syncType) =>
    [true, false].map((isDraining) => ({
      ...base,
      syncType,
      isLoadFinished: isSynchronizing,
      isDraining: isDraining && state === 'ending' && isSynchronizing,
    })),
  );
}

const STAGES_OPEN_IN: Partial<Readonly<Record<TaskState, readonly TaskStage[]>>> = {
  starting: ['connection-test', 'precheck'],
  full_load: ['full-load', 'cleanup'],
  incremental: ['capture', 'apply'],
  incremental_failed: ['capture', 'apply'],
  recovering: ['capture', 'apply'],
  paused: ['full-load', 'capture', 'apply', 'cleanup'],
  ending: ['full-load', 'capture', 'apply', 'cleanup'],
  end_failed: ['capture', 'apply'],
};

function effectOf(situation: TaskSituation, stage: TaskStage, outcome: (typeof OUTCOMES)[number]): readonly string[] {
  return eventsOf(stage, outcome).flatMap((event) => {
    const decision = decideEvent(situation, event);
    if (!decision) return [];
    const { state } = decision.situation;
    const orders = decision.orders.map((order) => {
      if (order.kind === 'run') return `run ${order.stage}`;
      return order.kind === 'desire' ? `desired: ${order.desired}` : order.kind;
    });
    if (state === situation.state && orders.length === 0) return [];
    return [`**${state}**${orders.length > 0 ? ` (${orders.join(', ')})` : ''}`];
  });
}

function eventsOf(stage: TaskStage, outcome: (typeof OUTCOMES)[number]): readonly StageEvent[] {
  const at = '2026-01-01T00:00:00.000Z';
  const head = { version: 1, eventId: ID, taskId: ID, runId: ID, epoch: 0, stage, worker: '', at } as const;
  switch (outcome) {
    case 'recovering':
      return [{ ...head, outcome, error: ERROR, attempt: 1 }];
    case 'succeeded':
      return resultsOf(stage).map((result) => ({ ...head, outcome, result }));
    case 'failed':
      return [{ ...head, outcome, error: ERROR }];
    case 'running':
    case 'stopped':
      return [{ ...head, outcome }];
  }
}

/** Both ends of a test or check: passed and not passed. */
function resultsOf(stage: TaskStage): readonly StageResult[] {
  switch (stage) {
    case 'connection-test':
      return [true, false].map((passed) => ({ stage, report: { passed, steps: [] } }));
    case 'precheck':
      return [true, false].map((passed) => ({ stage, report: { passed, checks: [] } }));
    case 'full-load':
      return [{ stage, consistentLsn: null, rows: 0, bytes: 0, tables: 0 }];
    case 'capture':
      return [{ stage, publishedLsn: '0/0' }];
    case 'apply':
      return [{ stage, appliedLsn: '0/0' }];
    case 'cleanup':
      return [{ stage }];
  }
}
