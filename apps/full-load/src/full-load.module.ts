import { Module } from '@nestjs/common';
import { FullLoadHandler } from './full-load.handler.js';
import { WorkItemHandler } from './work-item.handler.js';

@Module({ controllers: [FullLoadHandler, WorkItemHandler] })
export class FullLoadModule {}
