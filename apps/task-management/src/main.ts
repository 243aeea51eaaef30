import { runService } from '@sluice/service-runtime';
import { taskManagement } from './service-definition.js';

await runService(taskManagement);
