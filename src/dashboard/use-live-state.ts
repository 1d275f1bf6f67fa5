import { useEffect, useReducer } from 'react';
import { openLiveFeed } from './live-feed.js';
import { INITIAL_LIVE_STATE, liveState, type LiveState } from './live-state.js';

/** The cluster as it is now. `onRefused` must be stable. */
export function useLiveState(onRefused: () => void): LiveState {
  const [state, dispatch] = useReducer(liveState, INITIAL_LIVE_STATE);
  useEffect(
    () =>
      openLiveFeed({
        onChange: (change) => {
          dispatch({ kind: 'change-received', change, atMs: Date.now() });
        },
        onLost: () => {
          dispatch({ kind: 'connection-lost' });
        },
        onRefused,
      }),
    [onRefused],
  );
  return state;
}
