import { BaseConfig } from '@sluice/service-runtime';
import { type z } from 'zod';

/** Nothing beside what every service needs; topics and deliveries will add theirs. */
export const NotificationConfig = BaseConfig.extend({});
export type NotificationConfig = z.infer<typeof NotificationConfig>;
