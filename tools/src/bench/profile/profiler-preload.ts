/**
 * Loaded before a service: SIGUSR2 begins a CPU profile, the next one ends it and writes it. Unlike `--cpu-prof` it holds
 * the timed part only, and needs no process to end.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import path from 'node:path';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';
import { PROFILE_DIRECTORY_VARIABLE, PROFILE_SIGNAL, profileFile, startedFile } from './profile-files.js';

const SAMPLE_INTERVAL_US = 500;
/** Worker threads get no signals; the main thread tells them. */
const CHANNEL = 'bench-profile';

const folder = process.env[PROFILE_DIRECTORY_VARIABLE];
const session = new Session();
let isOn = false;

async function toggle(into: string): Promise<void> {
  const self = { pid: process.pid, threadId };
  isOn = !isOn;
  if (isOn) {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_INTERVAL_US });
    await session.post('Profiler.start');
    writeFileSync(path.join(into, startedFile(self)), '');
    return;
  }
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  // Whoever sees the file sees all of it.
  const draft = path.join(into, `${profileFile(self)}.draft`);
  writeFileSync(draft, JSON.stringify(profile));
  renameSync(draft, path.join(into, profileFile(self)));
}

if (folder !== undefined && existsSync(folder)) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  if (isMainThread) {
    process.on(PROFILE_SIGNAL, () => {
      channel.postMessage(null);
      void toggle(folder);
    });
  } else {
    channel.onmessage = () => void toggle(folder);
  }
}
