import { describe, expect, it } from '@jest/globals';
import { createDisplay, type Terminal } from './display.js';

class RecordingTerminal implements Terminal {
  readonly isTTY: boolean;
  readonly columns = 20;
  written = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.written += text;
  }
}

/** What a terminal shows after the escape codes that the display uses: cursor up, erase below. */
function screen(written: string): string[] {
  const rows = [''];
  for (const part of written.split(/(\x1b\[\d+A\x1b\[0J|\n)/)) {
    const up = /^\x1b\[(\d+)A/.exec(part);
    if (up) rows.splice(rows.length - 1 - Number(up[1]), rows.length, '');
    else if (part === '\n') rows.push('');
    else rows[rows.length - 1] += part;
  }
  return rows.slice(0, -1);
}

describe('the display on a terminal', () => {
  it('draws the status anew below the lines that stay', () => {
    const terminal = new RecordingTerminal(true);
    const display = createDisplay(terminal);
    display.line('one');
    display.status(['a', 'b']);
    display.status(['c']);
    display.line('two');
    display.status(['d']);
    expect(screen(terminal.written)).toEqual(['one', 'two', 'd']);
    display.clear();
    expect(screen(terminal.written)).toEqual(['one', 'two']);
  });

  it('cuts a status that would wrap', () => {
    const terminal = new RecordingTerminal(true);
    createDisplay(terminal).status(['x'.repeat(50)]);
    expect(screen(terminal.written)).toEqual(['x'.repeat(19)]);
  });
});

describe('the display in a file or pipe', () => {
  it('writes no escape codes and no status twice within a second', () => {
    const terminal = new RecordingTerminal(false);
    const display = createDisplay(terminal);
    display.status(['10 %']);
    display.status(['10 %']);
    display.status(['20 %']);
    display.line('done');
    display.clear();
    expect(terminal.written).toBe('10 %\ndone\n');
  });
});
