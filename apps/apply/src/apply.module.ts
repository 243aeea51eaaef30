import { Module } from '@nestjs/common';
import { ApplyHandler } from './apply.handler.js';

@Module({ controllers: [ApplyHandler] })
export class ApplyModule {}
