/** Notices that a process makes no progress. */
export type StallWatch = {
  /** Winds the watch up anew: `onStalled` is called unless it is wound up or stopped within so many milliseconds. */
  wind(millis: number, onStalled: () => void): void;
  stop(): void;
};

/** `look` reads what has come in by the time that the watch fires: it may be the host that was slow, and not the process. */
export function createStallWatch(look: () => void): StallWatch {
  let timer: NodeJS.Timeout | undefined;
  let wound = 0;

  function stop(): void {
    clearTimeout(timer);
    wound += 1;
  }

  return {
    wind(millis, onStalled) {
      stop();
      const mark = wound;
      timer = setTimeout(() => {
        setImmediate(() => {
          if (mark === wound) look();
          if (mark === wound) onStalled();
        });
      }, millis);
    },
    stop,
  };
}
