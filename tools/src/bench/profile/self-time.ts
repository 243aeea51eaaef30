import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const WORKSPACE = path.resolve(import.meta.dirname, '../../../..');
const MICROSECONDS = 1e6;
/** What V8 calls the time in which the thread waited. */
const IDLE = '(idle)';

/** https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export const CpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});
export type CpuProfile = z.infer<typeof CpuProfile>;

/** Seconds that the thread was in each function itself, without those that it called; waiting is left out. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const labels = new Map(nodes.map(({ id, callFrame }) => [id, labelOf(callFrame)]));
  const seconds = new Map<string, number>();
  samples.forEach((nodeId, index) => {
    const label = labels.get(nodeId) ?? '';
    // A sample says where the thread was until the next one came; what is behind the last one is not known.
    const lasted = (timeDeltas[index + 1] ?? 0) / MICROSECONDS;
    if (label !== IDLE) seconds.set(label, (seconds.get(label) ?? 0) + lasted);
  });
  return seconds;
}

function labelOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)';
  if (url === '') return name;
  const file = url.startsWith('file://') ? path.relative(WORKSPACE, fileURLToPath(url)) : url;
  return `${name} ${file}:${lineNumber + 1}`;
}
