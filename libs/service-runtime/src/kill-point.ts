import { killPointSetting } from './load-config.js';

const setting = killPointSetting();
let arrivals = 0;

/**
 * A place where fault tests kill this process: with SLUICE_KILL_POINT=<name>[:<n>] its n-th arrival there ends it at once,
 * without any clean-up. Otherwise nothing.
 */
export const killPoint: (name: string) => void =
  setting === null
    ? () => undefined
    : (name) => {
        if (name !== setting.name) return;
        arrivals += 1;
        if (arrivals === setting.arrival) process.kill(process.pid, 'SIGKILL');
      };
