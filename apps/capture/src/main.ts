import { runService } from '@sluice/service-runtime';
import { CaptureConfig } from './capture.config.js';
import { CaptureModule } from './capture.module.js';

await runService({
  name: 'capture',
  config: CaptureConfig,
  module: () => CaptureModule,
  concurrency: (config) => ({ capture: config.SLUICE_CAPTURE_CONCURRENCY }),
});
