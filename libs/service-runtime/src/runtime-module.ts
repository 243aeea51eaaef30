import { type DynamicModule, Module } from '@nestjs/common';
import { type RuntimeContext } from './runtime-context.js';
import { BUS, CONFIG, LOGGER, RUNTIME } from './tokens.js';

/** Provides BUS, LOGGER, CONFIG and RUNTIME everywhere: the one global module beside none. */
@Module({})
export class RuntimeModule {
  static provide(context: RuntimeContext<unknown>): DynamicModule {
    const providers = [
      { provide: BUS, useValue: context.bus },
      { provide: LOGGER, useValue: context.log },
      { provide: CONFIG, useValue: context.config },
      { provide: RUNTIME, useValue: context },
    ];
    return { module: RuntimeModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}
