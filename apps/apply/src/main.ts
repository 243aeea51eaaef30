import { runService } from '@sluice/service-runtime';
import { ApplyConfig } from './apply.config.js';
import { ApplyModule } from './apply.module.js';

await runService({
  name: 'apply',
  config: ApplyConfig,
  module: () => ApplyModule,
  concurrency: (config) => ({ apply: config.SLUICE_APPLY_CONCURRENCY }),
});
