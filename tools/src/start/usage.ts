/** What the exit code of `npm start` says. */
export const EXIT = {
  success: 0,
  /** The task failed, a check refused it, or source and target differ. */
  failed: 1,
  usage: 2,
  /** Something of this machine is missing: port, disk space, data directory, a program. */
  environment: 3,
  /** Ctrl-C before a run with --once was through. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const USAGE = `Usage: npm start -- [--source URL --target URL] [--once] [--for SECONDS] [--keep DIR] [--port N]

Starts Sluice on this machine and replicates one PostgreSQL database into another:
full load first, then every change. Without URLs it does so with a sample database and live writes.

  --source URL    the database to read:  postgres://user:password@host:port/database[?sslmode=…]
  --target URL    the database to write; give both URLs or none
  --once          load, catch up, compare every table's content on both sides, end the task
                  so that nothing of it is left on either server, print a summary
  --for SECONDS   stay incremental that long first, then go on as with --once
  --keep DIR      keep the data in DIR; the same command goes on from there another time
                  (default: a temporary directory, removed at the end)
  --port N        port of the API (default 8080, or a free one when that is taken)
  --help          this text

Without --once and --for it runs until Ctrl-C; a second Ctrl-C ends at once.

Exit codes
    0   all is well; with --once: both sides are equal and nothing was left behind
    1   the task failed, a check refused it, or the two sides differ
    2   the command line is wrong
    3   this machine lacks something: port, disk space, data directory, a program
  4-7   the bootstrap before it failed: npm dependencies, disk, Node.js, compiling
  130   Ctrl-C before --once was through
`;
