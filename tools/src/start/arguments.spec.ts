import { describe, expect, it } from '@jest/globals';
import { parseArguments, type StartOptions, UsageError } from './arguments.js';

const SOURCE = 'postgres://ada:secret@db1:5433/shop';
const TARGET = 'postgres://ada:secret@db2/shop';

function options(...argv: string[]): StartOptions {
  const command = parseArguments(argv);
  if (command.kind !== 'run') throw new Error('expected a run');
  return command.options;
}

describe('the command line of start', () => {
  it('without flags runs the sample until Ctrl-C', () => {
    expect(options()).toEqual({ databases: null, once: false, incrementalSeconds: null, keepDir: null, port: null });
  });

  it('reads all flags', () => {
    const read = options('--source', SOURCE, '--target', TARGET, '--for', '60', '--keep', '/data', '--port', '9000');
    expect(read).toMatchObject({ once: true, incrementalSeconds: 60, keepDir: '/data', port: 9000 });
    expect(read.databases?.source).toMatchObject({ host: 'db1', port: 5433, database: 'shop', user: 'ada' });
    expect(read.databases?.target).toMatchObject({ host: 'db2', port: 5432 });
  });

  it('shows the help whatever else is given', () => {
    expect(parseArguments(['--once', '--help'])).toEqual({ kind: 'help' });
    expect(parseArguments(['-h'])).toEqual({ kind: 'help' });
  });

  it.each<[string[], RegExp]>([
    [['--source', SOURCE], /without --target/],
    [['--target', TARGET], /without --source/],
    [['--source', SOURCE, '--target', SOURCE], /same database/],
    [['--source', 'mysql://a@b/c', '--target', TARGET], /--source.*postgres:\/\//],
    [['--source', SOURCE, '--target', 'postgres://ada@db2'], /--target.*database is missing/],
    [['--for', 'soon'], /--for must be a whole number/],
    [['--for', '-1'], /--for/],
    [['--port', '0'], /--port must be a whole number from 1 to 65535/],
    [['--port', '65536'], /--port/],
    [['--fast'], /--fast/],
    [['once'], /once/],
    [['--keep'], /--keep/],
  ])('refuses %j', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
    expect(() => parseArguments(argv)).toThrow(message);
  });

  it('does not repeat a password in an error', () => {
    const wrong = ['--source', 'postgres://ada:secret@/shop?sslmode=maybe', '--target', TARGET];
    expect(() => parseArguments(wrong)).toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/secret/) }),
    );
  });
});
