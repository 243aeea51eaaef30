import { Module } from '@nestjs/common';
import { CatalogHandler } from './catalog.handler.js';
import { ConnectionTestHandler } from './connection-test.handler.js';
import { QuestionPlaces } from './question-places.js';
import { SourceRolesHandler } from './source-roles.handler.js';

@Module({
  controllers: [ConnectionTestHandler, SourceRolesHandler, CatalogHandler],
  providers: [QuestionPlaces],
})
export class ConnectionTestModule {}
