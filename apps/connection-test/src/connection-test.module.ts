import { Module } from '@nestjs/common';
import { ConnectionTestHandler } from './connection-test.handler.js';
import { QuestionPlaces } from './question-places.js';
import { SourceRolesHandler } from './source-roles.handler.js';

@Module({ controllers: [ConnectionTestHandler, SourceRolesHandler], providers: [QuestionPlaces] })
export class ConnectionTestModule {}
