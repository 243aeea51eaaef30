import { Module } from '@nestjs/common';
import { PrecheckHandler } from './precheck.handler.js';

@Module({ controllers: [PrecheckHandler] })
export class PrecheckModule {}
