import type { Problem } from './problems.ts';

/** Validates what a validateContainerAdjustment handler returned. Never throws. */
export function validateRejection(_result: unknown): { reject?: string; problems: Problem[] } {
  return { problems: [] };
}
