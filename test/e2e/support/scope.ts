import type { TestContext } from 'node:test';

/** A running test. Its types do not know yet that it says whether it has passed. */
export type Scope = TestContext & { readonly passed?: boolean };
