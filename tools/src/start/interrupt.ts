const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** All must be gone 10 s after Ctrl-C; a second is left for what cannot be foreseen. */
const STOP_WITHIN_MS = 9_000;
/** One Ctrl-C can arrive several times, from the terminal and from programs that pass it on. */
const SAME_SIGNAL_MS = 700;

/** The person's wish to end the run. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  /** Whole milliseconds until all has to be gone; a fixed span while nobody asked for the end. */
  remainingMs(): number;
}

/** @param onSecond called when the end is asked for again: nothing may be waited for any more. */
export function listenForInterrupt(onSecond: () => void): Interrupt {
  const controller = new AbortController();
  let interruptedAtMs: number | null = null;
  const onSignal = (): void => {
    if (interruptedAtMs !== null) {
      if (performance.now() - interruptedAtMs > SAME_SIGNAL_MS) onSecond();
      return;
    }
    interruptedAtMs = performance.now();
    controller.abort();
  };
  SIGNALS.forEach((name) => process.on(name, onSignal));
  return {
    signal: controller.signal,
    remainingMs: () =>
      interruptedAtMs === null
        ? STOP_WITHIN_MS
        : Math.max(0, Math.floor(interruptedAtMs + STOP_WITHIN_MS - performance.now())),
    [Symbol.dispose]: () => SIGNALS.forEach((name) => process.off(name, onSignal)),
  };
}
