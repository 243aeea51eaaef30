import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type AlarmRecorded, alarmRecords, type RecordAlarm } from '@sluice/contracts';
import { OnRequest } from '@sluice/messaging';
import { MetadataDatabase } from '@sluice/metadata';

/** Keeps the alarms of notification, which does not open the metadata database (docs/adr/0006-notification-storage.md). */
@Controller()
export class AlarmHandler {
  constructor(private readonly metadata: MetadataDatabase) {}

  @OnRequest(alarmRecords)
  async record(@Payload() { alarm }: RecordAlarm): Promise<AlarmRecorded> {
    return { version: 1, isNew: await this.metadata.alarms.record(alarm) };
  }
}
