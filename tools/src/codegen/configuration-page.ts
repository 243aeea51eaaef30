import { z } from 'zod';
import { type AppConfig } from './app-modules.js';
import { GENERATED_NOTE, markdownTable, page } from './markdown.js';

const Property = z.object({
  description: z.string().default(''),
  default: z.unknown().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
});
const ObjectSchema = z.object({
  properties: z.record(z.string(), Property).default({}),
  required: z.array(z.string()).default([]),
});
type Property = z.infer<typeof Property>;

interface Variable {
  readonly name: string;
  readonly property: Property;
  readonly isRequired: boolean;
}

/** Environment variables; those that most services have with the same meaning stand first, what differs with its service. */
export function configurationPage(configs: readonly AppConfig[]): string {
  const services = configs.map(({ name, schema }) => ({ name, variables: variablesOf(schema) }));
  const common = commonVariables(services.map(({ variables }) => variables));
  const sections = services.flatMap(({ name, variables }) => {
    const own = variables.filter((variable) => !common.some((other) => isSame(other, variable)));
    return own.length === 0 ? [] : [`## ${name}`, table(own)];
  });
  return page(
    GENERATED_NOTE,
    '# Configuration',
    'Environment variables, read once at the start. `X_FILE` gives `X` as the content of a file. A wrong value ends the process with a message that names the variable, never its value.',
    '## Every service',
    'Where a service says something else below, that holds.',
    table(common),
    ...sections,
  );
}

function commonVariables(services: readonly (readonly Variable[])[]): readonly Variable[] {
  const has = (variables: readonly Variable[], one: Variable): boolean => variables.some((other) => isSame(other, one));
  const candidates = services
    .flat()
    .filter((one, index, all) => all.findIndex((other) => isSame(other, one)) === index);
  return candidates.filter((one) => services.filter((variables) => has(variables, one)).length * 2 > services.length);
}

function variablesOf(schema: z.ZodType): readonly Variable[] {
  // With `io: 'output'` zod throws on schemas that transform, and secrets do.
  const { properties, required } = ObjectSchema.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return Object.entries(properties).map(([name, property]) => ({
    name,
    property,
    isRequired: required.includes(name) && property.default === undefined,
  }));
}

function table(variables: readonly Variable[]): string {
  const rows = variables.map(({ name, property, isRequired }) => [
    `\`${name}\``,
    property.default === undefined ? (isRequired ? '**required**' : '–') : `\`${JSON.stringify(property.default)}\``,
    bounds(property),
    property.description,
  ]);
  return markdownTable(['variable', 'default', 'value', 'meaning'], rows);
}

function bounds({ type, enum: options, minimum, maximum, minLength }: Property): string {
  if (options) return options.map(String).join(', ');
  const range = minimum !== undefined || maximum !== undefined ? ` ${minimum ?? ''}–${maximum ?? ''}` : '';
  const length = minLength !== undefined && minLength > 1 ? `, ≥ ${minLength} characters` : '';
  return `${[type ?? 'text'].flat().join(' or ')}${range}${length}`;
}

function isSame(a: Variable, b: Variable): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
