import { runService } from '@sluice/service-runtime';
import { ConnectionTestConfig } from './connection-test.config.js';
import { ConnectionTestModule } from './connection-test.module.js';

await runService({
  name: 'connection-test',
  config: ConnectionTestConfig,
  module: () => ConnectionTestModule,
  concurrency: (config) => ({ 'connection-test': config.SLUICE_CONNECTION_TEST_CONCURRENCY }),
});
