import { describe, expect, it } from '@jest/globals';
import { renderGauges } from './metrics.js';

describe('renderGauges', () => {
  it('writes the text format of Prometheus', () => {
    const text = renderGauges([
      { name: 'a_bytes', help: 'One.', samples: [{ value: 1.5 }] },
      { name: 'b_seconds', help: 'Two.', samples: [{ labels: { task_id: 't', part: 'x"\\\n' }, value: 0 }] },
    ]);
    expect(text).toBe(
      '# HELP a_bytes One.\n# TYPE a_bytes gauge\na_bytes 1.5\n' +
        '# HELP b_seconds Two.\n# TYPE b_seconds gauge\nb_seconds{task_id="t",part="x\\"\\\\\\n"} 0\n',
    );
  });
});
