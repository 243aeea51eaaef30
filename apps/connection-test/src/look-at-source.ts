import {
  type CatalogAnswer,
  catalogQuestion,
  type CatalogRequest,
  CLOSURE_LISTED_MAX,
  patternOf,
  SELECTABLE_KINDS,
  type SelectableKind,
  SluiceError,
} from '@sluice/contracts';
import { judgeObjects } from '@sluice/model';
import { browseObjects, browseSchemas } from '@sluice/postgres-catalog';
import { type Client, connect, type Endpoint, inTransaction, isConnectionLoss } from '@sluice/postgres-client';
import { type MissingObject, readClosure, readTargetFacts } from '@sluice/postgres-schema';

const LOOK_TIMEOUT_MS = catalogQuestion.deadlineMs;
const SETTINGS = { search_path: '', lock_timeout: '5s', statement_timeout: String(LOOK_TIMEOUT_MS) };

/** One look on a session of its own, which changes nothing. @throws SluiceError 1xxx */
export async function lookAtSource(source: Endpoint, request: CatalogRequest): Promise<CatalogAnswer> {
  await using client = await connect(source, {
    applicationName: 'catalogue',
    settings: SETTINGS,
    queryTimeoutMs: LOOK_TIMEOUT_MS,
  });
  try {
    return await look(client, request);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const detail = `reading the catalogue of the source: ${error instanceof Error ? error.message : String(error)}`;
    throw new SluiceError(isConnectionLoss(error) ? 'SLUICE-1012' : 'SLUICE-1014', { detail, cause: error });
  }
}

async function look(client: Client, request: CatalogRequest): Promise<CatalogAnswer> {
  switch (request.look) {
    case 'schemas':
      return { look: 'schemas', ...(await browseSchemas(client, request)) };
    case 'objects':
      return { look: 'objects', ...(await browseObjects(client, request)) };
    case 'closure':
      return { look: 'closure', closure: await closureOf(client, request.selection) };
  }
}

async function closureOf(
  client: Client,
  selection: Extract<CatalogRequest, { look: 'closure' }>['selection'],
): Promise<Extract<CatalogAnswer, { look: 'closure' }>['closure']> {
  // What may be granted to whom does not matter here: the source's own roles stand for those of the target.
  const target = await readTargetFacts(client);
  const { missing, brought, extensions } = await inTransaction(
    client,
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    () => readClosure(client, { judge: judgeObjects(selection), target }),
  );
  const listed = missing.slice(0, CLOSURE_LISTED_MAX);
  return {
    isClosed: missing.length === 0,
    missing: listed,
    proposal: { objects: listed.flatMap(toListed), include: listed.map(patternOf) },
    brought: brought.slice(0, CLOSURE_LISTED_MAX),
    extensions: extensions.slice(0, CLOSURE_LISTED_MAX),
    isCut: Math.max(missing.length, brought.length, extensions.length) > CLOSURE_LISTED_MAX,
  };
}

function toListed({ kind, schema, name }: MissingObject): { kind: SelectableKind; schema: string; name: string }[] {
  const known = SELECTABLE_KINDS.find((candidate) => candidate === kind);
  return known ? [{ kind: known, schema, name }] : [];
}
