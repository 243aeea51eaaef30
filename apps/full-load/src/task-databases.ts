import { type Secret } from '@sluice/kernel';
import { type Bus, requestEndpoints } from '@sluice/messaging';
import { type Endpoint, toEndpoint } from '@sluice/postgres-client';

export interface TaskDatabases {
  readonly source: Endpoint;
  readonly target: Endpoint;
}

/** Finds the databases of a task. */
export type FindDatabases = (taskId: string) => Promise<TaskDatabases>;

export function databasesFromBus(bus: Bus, { service, busKey }: { service: string; busKey: Secret }): FindDatabases {
  return async (taskId) => {
    const { source, target } = await requestEndpoints(bus, taskId, { service, busKey });
    return { source: toEndpoint(source), target: toEndpoint(target) };
  };
}
