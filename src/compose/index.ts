/**
 * Composition: validates what scripts return, merges it in order and produces NRI's one answer. Pure functions, no I/O.
 *
 *     const composition = beginCreate({ container, nriVersion, known });
 *     for (const script of scripts) {
 *       const { problems } = contribute(composition, script, run(script, viewContainer(composition)));
 *     }
 *     const { adjust, update, ledger } = finish(composition);
 */
export type { Answer, WireAdjustment, WireLinuxAdjustment } from './answer.ts';
export {
  beginCreate,
  beginUpdate,
  type Composition,
  type Contributor,
  contribute,
  finish,
  type Known,
  viewContainer,
  viewResources,
} from './composition.ts';
export { adjustmentForAuthor, containerForAuthor, type WireContainer } from './convert.ts';
export { formatLedgerEntry, type LedgerEntry, type Outcome } from './ledger.ts';
export type { Effect, Problem, ProblemCode } from './problems.ts';
export { validateRejection } from './rejection.ts';
export { adjustableMembers, type Grant, grants } from './schema.ts';
