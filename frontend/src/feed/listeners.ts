export type Listener<T> = (value: T) => void;
/** Ends what it came from. Calling it again does nothing. */
export type Off = () => void;

/** Calls every listener; a bad one must not silence the others. */
export function tell<T>(listeners: ReadonlySet<Listener<T>> | undefined, value: T): void {
  for (const listener of [...(listeners ?? [])]) {
    try {
      listener(value);
    } catch (error) {
      reportError(error);
    }
  }
}

/** A function that does its work the first time only. */
export function once(f: () => void): Off {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    f();
  };
}
