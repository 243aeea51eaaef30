import { availableParallelism } from 'node:os';

/** One Jest project per environment; the suffix of a file says what it needs (docs/CONTRIBUTING, rule "suffix = environment"). */
const shared = {
  rootDir: import.meta.dirname,
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@sluice/source', 'node', 'node-addons'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['/dist/'],
};

const project = (displayName, testMatch, extra = {}) => ({ ...shared, displayName, testMatch, ...extra });

const notUnit = ['\\.(pg|nats|e2e)\\.spec\\.ts$', '/node_modules/', '/e2e/'];
export default {
  // Tests on real servers wait for facts with a deadline of their own; this bound only ends what hangs.
  testTimeout: 900_000,
  maxWorkers: Math.min(2, availableParallelism()),
  projects: [
    project('unit', ['<rootDir>/{apps,libs,tools}/**/*.spec.ts'], { testPathIgnorePatterns: notUnit }),
    project('pg', ['<rootDir>/{apps,libs,tools}/**/*.pg.spec.ts']),
    project('nats', ['<rootDir>/{apps,libs,tools}/**/*.nats.spec.ts']),
    project('e2e', ['<rootDir>/e2e/**/*.spec.ts']),
  ],
};
