import { readSequences, type SequenceChoice, setSequences, type SequenceState } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';

/** Brings the target's sequences of the task to where those of the source are. One that the target lacks is left out. */
export async function copySequences(
  { source, target }: { readonly source: Client; readonly target: Client },
  choice: SequenceChoice,
): Promise<void> {
  const key = ({ schema, name }: SequenceState): string => JSON.stringify([schema, name]);
  const present = new Set((await readSequences(target)).map(key));
  await setSequences(
    target,
    (await readSequences(source, choice)).filter((state) => present.has(key(state))),
  );
}
