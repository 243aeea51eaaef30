import nx from '@nx/eslint-plugin';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Dependencies point one way: kernel ← contracts ← model ← adapters ← runtime ← apps. Tooling may use all but apps' inside. */
const DEPENDENCY_CONSTRAINTS = [
  { sourceTag: 'type:kernel', onlyDependOnLibsWithTags: [], bannedExternalImports: ['*'] },
  { sourceTag: 'type:contracts', onlyDependOnLibsWithTags: ['type:kernel'], allowedExternalImports: ['zod'] },
  { sourceTag: 'type:model', onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts'], allowedExternalImports: [] },
  {
    sourceTag: 'type:adapter',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts', 'type:model', 'type:adapter'],
  },
  {
    sourceTag: 'type:runtime',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts', 'type:model', 'type:adapter'],
  },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts', 'type:model', 'type:adapter', 'type:runtime'],
    bannedExternalImports: ['pg', 'pg-*', 'typeorm', '@nats-io/*', '@opentelemetry/sdk-*'],
  },
  {
    sourceTag: 'type:tooling',
    onlyDependOnLibsWithTags: [
      'type:kernel',
      'type:contracts',
      'type:model',
      'type:adapter',
      'type:runtime',
      'type:tooling',
    ],
  },
  { sourceTag: 'scope:control', onlyDependOnLibsWithTags: ['scope:control', 'scope:shared'] },
  { sourceTag: 'scope:data', onlyDependOnLibsWithTags: ['scope:data', 'scope:shared'] },
  { sourceTag: 'scope:shared', onlyDependOnLibsWithTags: ['scope:shared'] },
  { sourceTag: 'platform:any', onlyDependOnLibsWithTags: ['platform:any'] },
];

/** Every third-party client has exactly one home, so that replacing one is a change of one library. */
const HOMES = [
  {
    packages: ['pg', 'pg-*'],
    homes: ['libs/postgres/**', 'libs/embedded/**', 'libs/testing/**', 'tools/**', 'e2e/**'],
  },
  { packages: ['@nats-io/*'], homes: ['libs/messaging/**', 'libs/embedded/**', 'libs/testing/**', 'e2e/**'] },
  { packages: ['typeorm'], homes: ['libs/metadata/**'] },
  {
    packages: ['@opentelemetry/sdk-*', '@opentelemetry/exporter-*', '@opentelemetry/instrumentation*'],
    homes: ['libs/telemetry/**'],
  },
];
const ALL_HOMES = HOMES.flatMap(({ packages }) => packages);
const HOME_FOLDERS = [...new Set(HOMES.flatMap(({ homes }) => homes))];

/** Specs make cycles in the graph that no production code has: the test libraries are built on what they test. */
const CYCLES_OF_SPECS = [
  ['testing', 'postgres-client'],
  ['testing', 'postgres-replication'],
  ['embedded', 'postgres-client'],
  ['embedded', 'testing'],
];
const moduleBoundaries = (allow = []) => [
  'error',
  {
    allow,
    banTransitiveDependencies: false,
    ignoredCircularDependencies: CYCLES_OF_SPECS,
    depConstraints: DEPENDENCY_CONSTRAINTS,
  },
];

const restricted = (packages) => ({
  'no-restricted-imports': ['error', { patterns: packages.map((group) => ({ group: [group, `${group}/**`] })) }],
});

export default tseslint.config(
  { ignores: ['**/dist/**', 'node_modules/**', '.nx/**', 'docs/generated/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx, 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({
          extensions: ['.ts', '.js'],
          extensionAlias: { '.js': ['.ts', '.js'] },
          conditionNames: ['@sluice/source', 'node', 'import'],
        }),
      ],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { allow: [], banTransitiveDependencies: false, depConstraints: DEPENDENCY_CONSTRAINTS },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      'import-x/no-cycle': 'error',
      'max-lines': ['error', 600],
      'max-lines-per-function': ['error', 70],
      'max-params': ['error', 3],
      'no-console': 'error',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Configuration is parsed once, in load-config.ts.' },
        { object: 'process', property: 'exit', message: 'Reject the run; libs/service-runtime decides.' },
      ],
      ...restricted(ALL_HOMES),
    },
  },
  ...HOME_FOLDERS.map((folder) => ({
    files: [`${folder}/*.ts`],
    rules: restricted(HOMES.filter(({ homes }) => !homes.includes(folder)).flatMap(({ packages }) => packages)),
  })),
  {
    files: ['**/*.spec.ts', 'e2e/**/*.ts', 'libs/testing/**/*.ts'],
    // A describe block is a list of behaviours, not a function to understand at once.
    rules: {
      'max-lines-per-function': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-imports': 'off',
      '@nx/enforce-module-boundaries': moduleBoundaries([
        '@sluice/testing',
        '@sluice/embedded',
        '@jest/globals',
        'fast-check',
      ]),
    },
  },
  {
    files: ['tools/**/*.ts', 'libs/service-runtime/src/**/*.ts', 'libs/embedded/**/*.ts'],
    // Command-line tools own their process and its standard output.
    rules: { 'no-restricted-properties': 'off', 'no-console': 'off' },
  },
);
