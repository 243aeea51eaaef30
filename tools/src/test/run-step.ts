import { spawn } from 'node:child_process';

export interface CommandOutcome {
  /** `null` when it was ended by a signal. */
  readonly status: number | null;
  readonly output: string;
}

export interface CommandOptions {
  /** Shows the output while it comes instead of collecting it. */
  readonly live?: boolean;
  /** More variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  readonly signal: AbortSignal;
}

/** A step that hangs must not hang the whole run; the longest takes a third of this. */
const STEP_DEADLINE_MS = 40 * 60_000;
const KILL_DELAY_MS = 5_000;

/** Runs a program of the workspace to its end, and leaves nothing that it started behind. */
export function runCommand(
  file: string,
  args: readonly string[],
  { live = false, signal, env = {}, deadlineMs = STEP_DEADLINE_MS }: CommandOptions,
): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    // A process group of its own, so that what it started can be ended with it.
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
      env: { ...process.env, NX_DAEMON: 'false', NO_COLOR: '1', ...env },
    });
    let output = '';
    const collect = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);

    const stop = (): void => {
      signalGroup(child.pid, 'SIGTERM');
      setTimeout(() => signalGroup(child.pid, 'SIGKILL'), KILL_DELAY_MS).unref();
    };
    const deadline = setTimeout(() => {
      output += `\nstopped: it took longer than ${deadlineMs / 60_000} minutes`;
      stop();
    }, deadlineMs);
    signal.addEventListener('abort', stop, { once: true });

    const settle = (outcome: CommandOutcome): void => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', stop);
      signalGroup(child.pid, 'SIGKILL');
      resolve(outcome);
    };
    child.on('error', (error) => settle({ status: null, output: error.message }));
    child.on('exit', (status) => {
      // What is left in its group holds the pipes open: end it, or `close` never comes.
      signalGroup(child.pid, 'SIGKILL');
      if (live) settle({ status, output });
    });
    child.on('close', (status) => settle({ status, output }));
  });
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // Nothing is left of the group.
  }
}
