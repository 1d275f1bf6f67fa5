import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BerthChild } from '../support/berth-child.js';

const JOB = `name: tiny
data: { format: csv, train: tiny.csv }
features: [{ name: x, type: number }]
target: { name: y, type: binary }
model: { type: mlp, hidden: [2] }
train: { epochs: 1 }
`;

describe('berth train', () => {
  let berth: BerthChild;

  beforeAll(() => {
    berth = new BerthChild();
    berth.write('tiny.csv', 'x,y\n1,a\n2,b\n');
  });

  afterAll(() => {
    berth.remove();
  });

  it('says with --check that a job file is right', async () => {
    berth.write('tiny.yaml', JOB);
    expect(await berth.run(['train', '-f', 'tiny.yaml', '--check'])).toMatchObject({
      code: 0,
      stdout: 'tiny.yaml: job tiny is right: 1 feature, target y (binary)\n',
      stderr: '',
    });
  });

  it('ends with 64, as a pod does, on a job file with mistakes', async () => {
    berth.write('wrong.yaml', JOB.replace('epochs', 'epoch').replace('name: tiny', 'name: Tiny'));
    const { code, stderr } = await berth.run(['train', '-f', 'wrong.yaml', '--check']);
    expect(code).toBe(64);
    expect(stderr).toContain('wrong.yaml:1:1: name: must be');
    expect(stderr).toContain('wrong.yaml:6:10: train.epoch: is not a known field');
  });

  it('ends with 69 when the job file is not there, and with 2 when none is named', async () => {
    expect(await berth.run(['train', '-f', 'none.yaml'])).toMatchObject({ code: 69 });
    expect(await berth.run(['train'])).toMatchObject({ code: 2 });
  });
});
