import { SluiceError } from '@sluice/contracts';
import { availableActions, type TaskAction, type TaskState } from '@sluice/model';

/** An action that the state table refuses. */
export class ActionRefusedError extends SluiceError {
  readonly allowedActions: readonly TaskAction[];

  constructor(action: TaskAction, { state, why }: { readonly state: TaskState; readonly why: string }) {
    const allowedActions = availableActions(state);
    super('SLUICE-6003', {
      detail: `${action} in state ${state}: ${why}`,
      remedy:
        allowedActions.length > 0 ? `Allowed now: ${allowedActions.join(', ')}.` : 'Wait until the task has moved on.',
    });
    this.allowedActions = allowedActions;
  }
}
