import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post, type Type } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { Requires } from './requires.js';
import { RouteDeclarations } from './route-declarations.js';

@Controller('declared')
class DeclaredController {
  @Get()
  @Requires({ of: 'nobody' })
  read(): string {
    return '';
  }
}

@Controller('forgotten')
class ForgottenController {
  @Get()
  read(): string {
    return '';
  }
}

@Controller('unseen')
class UnseenController {
  @Post()
  @Requires({ of: 'nobody' })
  write(): string {
    return '';
  }
}

async function start(controllers: Type[]): Promise<void> {
  @Module({ imports: [DiscoveryModule], controllers, providers: [RouteDeclarations] })
  class Application {}
  const app = await NestFactory.create(Application, { logger: false, abortOnError: false });
  try {
    await app.init();
  } finally {
    await app.close();
  }
}

describe('a service with a route that does not say who may call it', () => {
  it('does not start', async () => {
    await expect(start([DeclaredController])).resolves.toBeUndefined();
    await expect(start([DeclaredController, ForgottenController])).rejects.toThrow('ForgottenController.read');
  });

  it('does not start either when it changes something and does not say what is audited', async () => {
    await expect(start([UnseenController])).rejects.toThrow('UnseenController.write');
  });
});
