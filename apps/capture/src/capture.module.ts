import { Module } from '@nestjs/common';
import { CaptureHandler } from './capture.handler.js';

@Module({ controllers: [CaptureHandler] })
export class CaptureModule {}
