export { checkPermissions } from './permissions.ts';
export { type ProblemCode, ScriptProblem } from './problem.ts';
export { defaultSettings, type Settings } from './settings.ts';
export { type ActiveScript, createScriptStore, type ScriptStore, type ScriptsChange, type ScriptVersion } from './store.ts';
export { type Watcher, watchScripts } from './watch.ts';
