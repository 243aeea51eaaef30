import { serveCredentials } from '@sluice/messaging';
import { type RuntimeContext, type ServiceOptions } from '@sluice/service-runtime';
import { configureHttp } from './api/configure-http.js';
import { LiveProgress } from './live-progress.js';
import { openMetadata } from './open-metadata.js';
import { taskGauges } from './task-gauges.js';
import { TaskManagementConfig } from './task-management.config.js';
import { TaskManagementModule } from './task-management.module.js';

/** How task management is put together. */
export const taskManagement: ServiceOptions<typeof TaskManagementConfig> = {
  name: 'task-management',
  config: TaskManagementConfig,
  module: async (context: RuntimeContext<TaskManagementConfig>) => {
    const metadata = await openMetadata(context);
    const credentials = serveCredentials(context.bus, {
      busKey: context.config.SLUICE_BUS_KEY,
      lookup: (taskId) => metadata.vault.lookup(taskId),
    });
    // Ends before the database closes: what is added last is closed first.
    context.onShutdown(async () => credentials[Symbol.dispose]());
    const { SLUICE_API_RATE: perSecond, SLUICE_API_BURST: burst } = context.config;
    return TaskManagementModule.with({ metadata, rate: { perSecond, burst } });
  },
  configure: (app, { addGauges, log }) => {
    addGauges(() => taskGauges(app.get(LiveProgress)));
    configureHttp(app, log);
  },
};
