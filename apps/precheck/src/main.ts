import { runService } from '@sluice/service-runtime';
import { PrecheckConfig } from './precheck.config.js';
import { PrecheckModule } from './precheck.module.js';

await runService({
  name: 'precheck',
  config: PrecheckConfig,
  module: () => PrecheckModule,
  concurrency: (config) => ({ precheck: config.SLUICE_PRECHECK_CONCURRENCY }),
});
