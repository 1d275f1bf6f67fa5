import type { ReactElement, ReactNode } from 'react';

/** What stands where a list is empty: that it is, and how something gets there. */
export function EmptyNote({ children }: { readonly children: ReactNode }): ReactElement {
  return <p className="px-4 py-8 text-center text-sm text-muted">{children}</p>;
}
