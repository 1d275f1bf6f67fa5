/** `misfit`: the event did not fit the state and changed nothing. */
export type Applied = 'applied' | 'misfit';
