import { Module } from '@nestjs/common';
import { SnapshotHandler } from './snapshot.handler.js';

@Module({ controllers: [SnapshotHandler] })
export class SnapshotHolderModule {}
