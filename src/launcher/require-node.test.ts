import { describe, expect, it } from '@jest/globals';
import { complaintAboutNode } from './require-node.mjs';

describe(complaintAboutNode.name, () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('accepts Node %s', (version) => {
    expect(complaintAboutNode(version)).toBeUndefined();
  });

  it.each(['12.22.12', '18.20.4', '20.9.0', '20.18.3'])('names what is needed instead of Node %s', (version) => {
    expect(complaintAboutNode(version)).toBe(
      `Node ${version} is too old: Berth needs 20.19.0 or newer, see https://nodejs.org.`,
    );
  });
});
