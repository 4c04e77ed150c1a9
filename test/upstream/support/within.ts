/** Nothing is waited for without end: a run that stands still says what it stands still at. */

/** What the work comes to; rejects when that takes longer, with what was waited for. The work itself goes on. */
export async function within<Result>(millis: number, what: string, work: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what}: not within ${millis / 1000} s`)), millis);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
