const FRAGMENT = /^#code=(.+)$/;

/**
 * Takes the one-time code out of the address, so that neither the history nor a copied address keeps it. A fragment is
 * never sent to a server or to its logs, which is why the link carries it there.
 */
export function takeSignInCode(location: Location, history: History): string | undefined {
  const code = signInCode(location.hash);
  if (code !== undefined) history.replaceState(history.state, '', location.pathname + location.search);
  return code;
}

export function signInCode(fragment: string): string | undefined {
  const encoded = FRAGMENT.exec(fragment)?.[1];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return encoded; // a broken escape: the server says that there is no such code
  }
}
