import { readSequences, setSequences, type SequenceState } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';

/** Brings the sequences of the target to where those of the source are. One that the target lacks is left out. */
export async function copySequences({
  source,
  target,
}: {
  readonly source: Client;
  readonly target: Client;
}): Promise<void> {
  const key = ({ schema, name }: SequenceState): string => JSON.stringify([schema, name]);
  const present = new Set((await readSequences(target)).map(key));
  await setSequences(
    target,
    (await readSequences(source)).filter((state) => present.has(key(state))),
  );
}
