import { Module } from '@nestjs/common';
import { ConnectionTestHandler } from './connection-test.handler.js';

@Module({ controllers: [ConnectionTestHandler] })
export class ConnectionTestModule {}
