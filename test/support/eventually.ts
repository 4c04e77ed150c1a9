/** Waits for a condition; fails with what was seen last when it does not come true. */
export async function eventually<Value>(
  look: () => Value | Promise<Value>,
  holds: (value: Value) => boolean,
  millis = 10_000,
): Promise<Value> {
  const end = Date.now() + millis;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (Date.now() > end) throw new Error(`did not come true within ${millis} ms; last seen: ${JSON.stringify(value)}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
