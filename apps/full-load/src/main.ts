import { runService } from '@sluice/service-runtime';
import { FullLoadConfig } from './full-load.config.js';
import { FullLoadModule } from './full-load.module.js';

await runService({
  name: 'full-load',
  config: FullLoadConfig,
  module: () => FullLoadModule,
  concurrency: (config) => ({
    'full-load': config.SLUICE_FULL_LOAD_COORDINATORS,
    copy: config.SLUICE_FULL_LOAD_COPY_WORKERS,
    build: config.SLUICE_FULL_LOAD_BUILD_WORKERS,
    'finish-load': config.SLUICE_FULL_LOAD_COORDINATORS,
    cleanup: config.SLUICE_FULL_LOAD_CLEANUP_WORKERS,
  }),
});
