/** Where the display writes; `process.stdout` is one. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What a person sees of the run. */
export interface Display {
  /** A line that stays. */
  line(text: string): void;
  /** What is so at this moment; the next one takes its place. */
  status(lines: readonly string[]): void;
  /** Takes the status away, after which only `line` is used. */
  clear(): void;
}

export function createDisplay(terminal: Terminal): Display {
  return terminal.isTTY ? new LiveDisplay(terminal) : new PlainDisplay(terminal);
}

const COLUMNS_DEFAULT = 80;

/** One area at the end of the output is drawn anew; the cursor always stands below it. */
class LiveDisplay implements Display {
  readonly #terminal: Terminal;
  #area: readonly string[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  line(text: string): void {
    this.#draw(`${text}\n`, this.#area);
  }

  status(lines: readonly string[]): void {
    this.#draw('', lines);
  }

  clear(): void {
    this.#draw('', []);
  }

  #draw(before: string, area: readonly string[]): void {
    // A line that wraps would take two rows, and the next redraw would leave one of them behind.
    const widthMax = (this.#terminal.columns ?? COLUMNS_DEFAULT) - 1;
    const shown = area.map((line) => [...line].slice(0, widthMax).join(''));
    const erase = this.#area.length === 0 ? '' : `\x1b[${this.#area.length}A\x1b[0J`;
    this.#terminal.write(erase + before + shown.map((line) => `${line}\n`).join(''));
    this.#area = shown;
  }
}

const PLAIN_INTERVAL_MS = 1000;

/** For files and pipes: no escape codes, a status at most once a second and only when it says something new. */
class PlainDisplay implements Display {
  readonly #terminal: Terminal;
  #lastStatus = '';
  #lastStatusAtMs = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  line(text: string): void {
    this.#terminal.write(`${text}\n`);
  }

  status(lines: readonly string[]): void {
    const text = lines.join('\n');
    const nowMs = performance.now();
    if (text === '' || text === this.#lastStatus || nowMs - this.#lastStatusAtMs < PLAIN_INTERVAL_MS) return;
    this.#lastStatus = text;
    this.#lastStatusAtMs = nowMs;
    this.#terminal.write(`${text}\n`);
  }

  clear(): void {
    this.#lastStatus = '';
  }
}
