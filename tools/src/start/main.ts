import { isAbort } from '@sluice/kernel';
import { parseArguments, UsageError, type Command } from './arguments.js';
import { createDisplay, type Display } from './display.js';
import { classifyFailure, exitCodeOf, failureLines } from './failure.js';
import { TaskFailed } from './follow-task.js';
import { listenForInterrupt } from './interrupt.js';
import { runStart } from './run-start.js';
import { EXIT, type ExitCode, USAGE } from './usage.js';

async function main(argv: readonly string[]): Promise<ExitCode> {
  const command = understand(argv);
  if (command === null) return EXIT.usage;
  if (command.kind === 'help') {
    process.stdout.write(USAGE);
    return EXIT.success;
  }
  const display = createDisplay(process.stdout);
  const emergencies: (() => void)[] = [];
  using interrupt = listenForInterrupt(() => {
    emergencies.forEach((action) => action());
    // The database servers and the bus notice the end of this process by themselves.
    process.exit(EXIT.interrupted);
  });
  interrupt.signal.addEventListener('abort', () => {
    display.clear();
    display.line('Stopping; a second Ctrl-C ends at once');
  });
  try {
    const code = await runStart(command.options, {
      display,
      interrupt,
      onEmergency: (action) => emergencies.push(action),
    });
    display.clear();
    return code;
  } catch (error) {
    if (interrupt.signal.aborted && isAbort(error)) return command.options.once ? EXIT.interrupted : EXIT.success;
    return explain(error, display);
  }
}

function understand(argv: readonly string[]): Command | null {
  try {
    return parseArguments(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`✗ ${error.message}\n\n${USAGE}`);
    return null;
  }
}

function explain(error: unknown, display: Display): ExitCode {
  display.clear();
  // What is wrong with a task was shown with the task.
  if (error instanceof TaskFailed) return EXIT.failed;
  const failure = classifyFailure(error);
  failureLines(failure).forEach((line) => display.line(line));
  return exitCodeOf(failure);
}

process.exit(await main(process.argv.slice(2)));
