import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { conflictRecords, type ConflictsRecorded, type RecordConflicts } from '@sluice/contracts';
import { OnRequest } from '@sluice/messaging';
import { MetadataDatabase } from '@sluice/metadata';

/** Keeps the conflicts that apply journaled on a target. */
@Controller()
export class ConflictHandler {
  constructor(private readonly metadata: MetadataDatabase) {}

  @OnRequest(conflictRecords)
  async record(@Payload() { taskId, conflicts }: RecordConflicts): Promise<ConflictsRecorded> {
    return { version: 1, recorded: await this.metadata.conflicts.record(taskId, conflicts) };
  }
}
