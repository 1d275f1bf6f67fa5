import { describe, expect, it } from '@jest/globals';
import { signInCode } from './sign-in-code.js';

describe(signInCode.name, () => {
  it.each([
    ['#code=berth_code_x-Y', 'berth_code_x-Y'],
    ['#code=a%2Bb', 'a+b'],
    ['#code=%', '%'],
    ['#code=', undefined],
    ['#section', undefined],
    ['', undefined],
  ])('reads %s as %s', (fragment, want) => {
    expect(signInCode(fragment)).toBe(want);
  });
});
