/** Waiting that ends early: when somebody has something new, and when the agent stops. Leaves nothing behind. */

export interface Waker {
  /** End the present `wait`, or the next one if none is going on. */
  wake(): void;
  /** @param ms null: until woken */
  wait(ms: number | null): Promise<void>;
  /** Not ended by `wake`. */
  pause(ms: number): Promise<void>;
}

export function openWaker(stopping: AbortSignal): Waker {
  let woken = false;
  let end: (() => void) | null = null;

  /** @param entry called with the function that ends it */
  function sleep(ms: number | null, entry: (end: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        stopping.removeEventListener("abort", over);
        resolve();
      };
      const timer = ms === null ? undefined : setTimeout(over, ms);
      entry(over);
      if (stopping.aborted) over();
      else stopping.addEventListener("abort", over, { once: true });
    });
  }

  return {
    wake() {
      woken = true;
      end?.();
    },
    async wait(ms) {
      if (!woken)
        await sleep(ms, (over) => {
          end = over;
        });
      end = null;
      woken = false;
    },
    pause: (ms) => sleep(ms, () => undefined),
  };
}

/** A signal that also fires after `ms`. A joined one would be kept as long as `parent` lives; this one is let go of. */
export async function within<T>(
  parent: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const stop = (): void => own.abort(parent.reason);
  const timer = setTimeout(() => own.abort(new DOMException("its time is over", "TimeoutError")), ms);
  if (parent.aborted) stop();
  else parent.addEventListener("abort", stop, { once: true });
  try {
    return await work(own.signal);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener("abort", stop);
  }
}
