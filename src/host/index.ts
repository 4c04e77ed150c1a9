export { formatLedgerEntry } from '../compose/index.ts';
export { type DoctorOptions, examine, type Finding } from './doctor.ts';
export { createHost, type Host, type HostOptions } from './host.ts';
export type { EventReport, ScriptReport } from './report.ts';
