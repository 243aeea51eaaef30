import { runService } from '@sluice/service-runtime';
import { NotificationConfig } from './notification.config.js';
import { NotificationModule } from './notification.module.js';

await runService({ name: 'notification', config: NotificationConfig, module: () => NotificationModule });
