import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { AlarmRecorded, alarmRecords, type TaskEvent, taskEvents } from '@sluice/contracts';
import { type Bus, OnEvent, request } from '@sluice/messaging';
import { BUS, LOGGER } from '@sluice/service-runtime';
import { type Logger } from '@sluice/telemetry';
import { alarmOf } from './alarm-of.js';

/** Task management answers within a few statements; when it does not, the event comes again. */
const RECORD_TIMEOUT_MS = 5_000;

/**
 * Raises alarms.
 *
 * Maintained invariant: an event is acknowledged after its alarm was recorded, and an alarm is recorded once per event.
 */
@Controller()
export class TaskEventHandler {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @OnEvent(taskEvents, 'notification')
  async onTaskEvent(@Payload() event: TaskEvent): Promise<void> {
    const alarm = alarmOf(event);
    if (!alarm) return;
    const { isNew } = await request(this.bus, alarmRecords, {
      params: {},
      payload: { version: 1, alarm },
      reply: AlarmRecorded,
      timeoutMs: RECORD_TIMEOUT_MS,
    });
    if (!isNew) return;
    const { taskId, taskName, kind, state, error, at } = alarm;
    const fields = { task_id: taskId, task: taskName, alarm: kind, state, since: at };
    if (kind === 'abnormal') this.log.warn({ ...fields, 'error.code': error?.code, reason: error?.detail }, 'alarm');
    else this.log.info(fields, 'alarm');
  }
}
