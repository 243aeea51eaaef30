import { Module } from '@nestjs/common';
import { TaskEventHandler } from './task-event.handler.js';

@Module({ controllers: [TaskEventHandler] })
export class NotificationModule {}
