/**
 * Makes a fresh checkout on a fresh machine ready and hands over: node tools/bootstrap/run.mjs <start|test|bench|soak> [args…]
 * Plain Node ≥ 20 without dependencies: it runs before anything is installed. It is quiet when nothing is to be done.
 *
 * Exit codes of its own; otherwise that of the command it handed over to:
 *   2  wrong usage
 *   3  nats-server is missing and could not be installed
 *   4  npm dependencies could not be installed
 *   5  the disk is full
 *   6  no usable Node.js
 *   7  the TypeScript does not compile
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const EXIT = { usage: 2, nats: 3, dependencies: 4, disk: 5, node: 6, build: 7 };
const COMMANDS = ['start', 'test', 'bench', 'soak'];
const NODE_MAJOR = 24;
const OLDEST_NODE_MAJOR = 20;
/** How long a command may take to stop after Ctrl-C. */
const STOP_DEADLINE_MS = 10_000;
/** One Ctrl-C arrives twice, from the terminal and from npm; what comes later than this is a second one. */
const SAME_SIGNAL_MS = 1_000;
const PROGRESS_INTERVAL_MS = 10_000;

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const bin = path.join(root, 'node_modules/.bin');

class BootstrapError extends Error {
  constructor(exitCode, what, remedy) {
    super(`${what}\n  What to do: ${remedy}`);
    this.exitCode = exitCode;
  }
}

const say = (line) => process.stdout.write(`bootstrap: ${line}\n`);
const seconds = (startedAt) => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
const majorOf = (version) => Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0);
const lastLines = (output) => output.trim().split('\n').slice(-8).join('\n    ');
const firstLines = (output) => output.trim().split('\n').slice(0, 8).join('\n    ');
const isDiskFull = (output) => /ENOSPC|EDQUOT|no space left/i.test(output);

/** Runs a program to its end and collects its output; with a title it says that it is still alive. */
function run(file, args, { title, ...options } = {}) {
  return new Promise((resolve) => {
    const startedAt = Date.now();
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const progress = title && setInterval(() => say(`${title} … ${seconds(startedAt)}`), PROGRESS_INTERVAL_MS);
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    const settle = (status, more = '') => {
      clearInterval(progress);
      resolve({ status, output: output + more });
    };
    child.on('error', (error) => settle(null, error.message));
    child.on('close', (status) => settle(status));
  });
}

// ---- steps

function requireOwnNode() {
  if (majorOf(process.version) >= OLDEST_NODE_MAJOR) return;
  throw new BootstrapError(
    EXIT.node,
    `this is Node.js ${process.version}; at least ${OLDEST_NODE_MAJOR} is needed`,
    `install Node.js ${NODE_MAJOR} from https://nodejs.org and start again.`,
  );
}

async function installDependencies() {
  const stampFile = path.join(root, 'node_modules/.sluice-lockfile');
  const lockfile = path.join(root, 'package-lock.json');
  const wanted = createHash('sha256').update(readFileSync(lockfile)).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  if (!isInstalledByHand(lockfile)) await runNpmInstall();
  writeFileSync(stampFile, wanted);
}

/** True if npm's own record of what is installed agrees with the lockfile: somebody ran `npm install`. */
function isInstalledByHand(lockfile) {
  const record = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const installed = packagesOf(record);
  return Object.entries(packagesOf(lockfile)).every(([folder, { version, link, optional, peer }]) => {
    const isInstalled = installed[folder]?.version === version;
    // The root and the workspaces have no record; packages for other platforms are left out.
    return isInstalled || link || optional || peer || !folder.startsWith('node_modules/');
  });
}

async function runNpmInstall() {
  const startedAt = Date.now();
  const title = 'installing npm dependencies';
  say(title);
  // Not `npm ci`: it refuses a lockfile that leaves out optional packages of platforms that a registry does not have.
  // `--no-save` installs what the lockfile says all the same, and leaves it alone.
  const flags = [
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
    '--prefer-offline',
  ];
  const { status, output } = await run('npm', ['install', ...flags], { title });
  if (status !== 0) {
    const cause = `npm install failed:\n    ${firstLines(output)}`;
    if (isDiskFull(output)) throw new BootstrapError(EXIT.disk, cause, 'free at least 2 GB on this disk.');
    const remedy = 'check the network and the npm registry (npm ping), then start again.';
    throw new BootstrapError(EXIT.dependencies, cause, remedy);
  }
  say(`npm dependencies installed in ${seconds(startedAt)}`);
}

/** @returns the path of Node.js 24, which the npm package `node` brings. */
async function ensureNode() {
  const installed = path.join(bin, 'node');
  const version = async () => (await run(installed, ['--version'])).output.trim();
  if (majorOf(await version()) === NODE_MAJOR) return installed;
  // npm can be set not to run the scripts of packages; this package's script brings the program itself.
  const startedAt = Date.now();
  say(`installing Node.js ${NODE_MAJOR} from npm`);
  const cwd = path.join(root, 'node_modules/node');
  const { output } = await run(process.execPath, ['installArchSpecificPackage.js'], {
    cwd,
    title: 'installing Node.js',
  });
  if (majorOf(await version()) === NODE_MAJOR) {
    say(`Node.js ${NODE_MAJOR} installed in ${seconds(startedAt)}`);
    return installed;
  }
  if (majorOf(process.version) >= NODE_MAJOR) return process.execPath;
  if (isDiskFull(output)) throw new BootstrapError(EXIT.disk, lastLines(output), 'free space on this disk.');
  throw new BootstrapError(
    EXIT.node,
    `Node.js ${NODE_MAJOR} could not be installed from npm for ${process.platform}-${process.arch}:\n    ${lastLines(output)}`,
    `check the network, or install Node.js ${NODE_MAJOR} from https://nodejs.org and start again with it.`,
  );
}

async function compile(node) {
  const startedAt = Date.now();
  const { status, output } = await run(node, ['tools/build/build.mjs'], { title: 'compiling' });
  if (status !== 0) {
    const exitCode = isDiskFull(output) ? EXIT.disk : EXIT.build;
    throw new BootstrapError(
      exitCode,
      `compiling failed:\n    ${lastLines(output)}`,
      'correct what the lines above name.',
    );
  }
  const compiledCount = Number(/(\d+) file/.exec(output)?.[1] ?? 0);
  if (compiledCount > 0) say(`${compiledCount} files compiled in ${seconds(startedAt)}`);
}

/** The compiled library knows how to install it; here only the usual case is decided, without starting a process. */
async function ensureNats(node) {
  const folders = [
    ...(process.env.PATH ?? '').split(path.delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
    '/opt/homebrew/bin',
  ];
  if (folders.some((folder) => isExecutable(path.join(folder, 'nats-server')))) return;
  const startedAt = Date.now();
  say('nats-server is missing, installing it');
  const script =
    "import { ensureNats } from '@sluice/embedded';" +
    'await ensureNats().catch((error) => { console.error(error.message); process.exitCode = 1; });';
  const { status, output } = await run(node, ['--input-type=module', '--eval', script], {
    title: 'installing nats-server',
  });
  if (status === 0) {
    say(`nats-server installed in ${seconds(startedAt)}`);
    return;
  }
  const error = new BootstrapError(isDiskFull(output) ? EXIT.disk : EXIT.nats, '', '');
  // The library's message says what to do.
  error.message = output.trim();
  throw error;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// ---- handing over

/** Ends the command's process group when this process is gone, even by kill -9: `read` returns when the pipe closes. */
const WATCHDOG = 'read -r _; kill -TERM "$1" 2>/dev/null; sleep 10; kill -KILL -- "-$1" 2>/dev/null';

/** @returns the command's exit code. */
function handOver(node, main, args) {
  return new Promise((resolve) => {
    // A process group of its own: one Ctrl-C then reaches it once, from here.
    const child = spawn(node, [main, ...args], {
      cwd: root,
      stdio: 'inherit',
      detached: true,
      env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` },
    });
    const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'sluice-watchdog', String(child.pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    watchdog.on('error', () => undefined);
    watchdog.stdin.on('error', () => undefined);

    let forwardedAt = 0;
    let killTimer;
    const forward = (signal) => {
      if (Date.now() - forwardedAt < SAME_SIGNAL_MS) return;
      forwardedAt = Date.now();
      child.kill(signal);
      killTimer ??= setTimeout(() => killGroup(child.pid), STOP_DEADLINE_MS);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => forward(signal));

    child.on('error', (error) => {
      process.stderr.write(`bootstrap: ${main} could not be started: ${error.message}\n`);
      resolve(EXIT.node);
    });
    child.on('exit', (code, signal) => {
      clearTimeout(killTimer);
      watchdog.kill('SIGKILL');
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

function killGroup(pid) {
  process.stderr.write(`bootstrap: not stopped within ${STOP_DEADLINE_MS / 1000} s, killing it\n`);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended at this moment.
  }
}

async function main() {
  const [command, ...args] = process.argv.slice(2);
  if (!COMMANDS.includes(command)) {
    throw new BootstrapError(
      EXIT.usage,
      `unknown command ${command ?? '(none)'}`,
      `use one of ${COMMANDS.join(', ')}.`,
    );
  }
  requireOwnNode();
  await installDependencies();
  const node = await ensureNode();
  await compile(node);
  await ensureNats(node);
  const entry = path.join(root, 'tools/dist', command, 'main.js');
  if (!existsSync(entry)) {
    throw new BootstrapError(
      EXIT.build,
      `${entry} is missing after compiling`,
      `see whether tools/src/${command} is there.`,
    );
  }
  return handOver(node, entry, args);
}

process.exitCode = await main().catch((error) => {
  const isDisk = error?.code === 'ENOSPC' || error?.code === 'EDQUOT';
  process.stderr.write(
    `bootstrap: ${isDisk ? 'the disk is full\n  What to do: free space on this disk.' : error.message}\n`,
  );
  return error instanceof BootstrapError ? error.exitCode : isDisk ? EXIT.disk : 1;
});
