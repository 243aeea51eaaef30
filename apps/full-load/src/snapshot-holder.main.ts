import { runService } from '@sluice/service-runtime';
import { SnapshotHolderConfig } from './full-load.config.js';
import { SnapshotHolderModule } from './snapshot-holder.module.js';

await runService({
  name: 'snapshot-holder',
  config: SnapshotHolderConfig,
  module: () => SnapshotHolderModule,
  concurrency: (config) => ({ snapshot: config.SLUICE_FULL_LOAD_SNAPSHOTS }),
});
