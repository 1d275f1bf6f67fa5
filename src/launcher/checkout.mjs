import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout that this launcher belongs to, wherever the command was typed. */
export const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url)).replace(/[\\/]$/, '');

/**
 * An absolute path in the checkout.
 * @param {...string} parts
 * @returns {string}
 */
export function inCheckout(...parts) {
  return join(CHECKOUT, ...parts);
}
