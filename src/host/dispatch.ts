/**
 * One event after the other: picks the scripts, runs them in the sandbox, composes what they return, answers in time.
 *
 * Events to which NRI takes no answer are answered at once and their scripts run after that, in the order of arrival: the node does not
 * wait for them.
 */
import type { Container, ContainerUpdate, PodSandbox } from '../../types/index.d.ts';
import {
  beginCreate,
  beginUpdate,
  type Composition,
  contribute,
  finish,
  type Grant,
  validateRejection,
  viewContainer,
  viewResources,
} from '../compose/index.ts';
import {
  type ConfigureRequest,
  type ContainerRequest,
  type CreateContainerResponse,
  type PodRequest,
  RefusalError,
  type SynchronizeRequest,
  type SynchronizeResponse,
  type ValidateContainerAdjustmentResponse,
} from '../nri/index.ts';
import { type HandlerName, monotonicNow, type Sandbox, type ScriptRun } from '../sandbox/index.ts';
import type { ActiveScript } from '../scripts/index.ts';
import { type Deadline, deadlineOf } from './deadline.ts';
import { canFail, compositionOf, configureInput, type EventInput, eventInput, takesAnswer } from './event-input.ts';
import type { Inventory } from './inventory.ts';
import type { Fault, Quarantine } from './quarantine.ts';
import type { EventReport, ScriptReport } from './report.ts';

export type DispatchOptions = {
  sandbox: Sandbox;
  inventory: Inventory;
  /** The scripts in force. */
  active(): readonly ActiveScript[];
  /** Of the connected runtime; '' when unknown. */
  nriVersion(): string;
  requestTimeout(): number;
  onReport(report: EventReport): void;
  quarantine: Pick<Quarantine, 'admits' | 'record'>;
  /** Takes what a run wants kept; false when it is too much. */
  onState(script: string, changes: Record<string, unknown>): boolean;
  /** A connection has begun, and these containers were created since the last one. */
  onMissed(containers: string[]): void;
  /** Unsolicited updates that scripts asked for, checked; to be sent after the answer. */
  onUpdates(updates: ContainerUpdate[]): void;
};

/** How an event's answer is asked for: performance.now() milliseconds, of the deadline Infinity for none. */
export type Call = { deadline: number; receivedAt?: number };

export type Dispatch = {
  configure(request: ConfigureRequest): void;
  synchronize(request: Pick<SynchronizeRequest, 'pods' | 'containers'>, call: Call): Promise<SynchronizeResponse>;
  event(handler: HandlerName, request: PodRequest & ContainerRequest, call: Call): Promise<object>;
  /** The event whose scripts are running now, for what they log. */
  current(): { handler: HandlerName; pod: string; container: string } | undefined;
  /** Resolves when everything that has arrived is handled. */
  settled(): Promise<void>;
};

/** Events whose scripts have yet to run, beyond which the runtime has to wait after all. */
const maxBacklog = 1000;

/** Monotonic milliseconds; `decode` microseconds. */
type Arrival = { arrived: number; decode: number };

type Subject = Pick<EventReport, 'handler' | 'pod' | 'container'>;

/** One event on its way through the scripts. */
type Passage = {
  report: EventReport;
  composition: Composition | undefined;
  unsolicited: Composition | undefined;
  rejected: string | undefined;
  /** The message of the first failed script whose settings say `onError: fail`. */
  refusal: string | undefined;
};

export function createDispatch(options: DispatchOptions): Dispatch {
  const { sandbox, inventory } = options;
  let queue: Promise<unknown> = Promise.resolve();
  let told: Promise<unknown> = queue;
  let backlog = 0;
  let current: Subject | undefined;
  const unreported: { report: EventReport; answeredAt: number }[] = [];

  /**
   * Runs `work` when all before it is done. What is not done by the deadline is given up for the answer, not for the queue. `isAwaited`: the runtime
   * waits for it, so it begins at once when nothing is before it.
   */
  function inTurn<Answer>(work: () => Promise<Answer>, isAwaited = true): Promise<Answer> {
    const done = isAwaited && backlog === 0 ? work() : queue.then(work);
    backlog += 1;
    const over = () => {
      backlog -= 1;
    };
    queue = done.then(over, over);
    told = queue.then(tell);
    return done;
  }

  /** The answer leaves first: the runtime does not wait for the log. */
  async function tell(): Promise<void> {
    await new Promise(setImmediate);
    const now = monotonicNow();
    for (const { report, answeredAt } of unreported.splice(0)) {
      if (report.stages) report.stages.reply = microsBetween(answeredAt, now);
      options.onReport(report);
    }
  }

  async function run(
    subject: Subject,
    input: EventInput,
    deadline: Deadline,
    { arrived, decode }: Arrival,
    start: () => Partial<Passage>,
  ): Promise<Passage> {
    const begun = monotonicNow();
    const { handler } = subject;
    const { pod, container } = input as { pod?: PodSandbox; container?: Container };
    const concerned = (script: ActiveScript) => script.handlers.includes(handler) && (!pod || script.matches(pod, container));
    const all = options.active().filter(concerned);
    const scripts = all.filter(script => options.quarantine.admits(script.name));
    const report: EventReport = { ...subject, scripts: [], ledger: [], micros: 0, left: 0, late: false };
    const passage: Passage = { report, composition: undefined, unsolicited: undefined, rejected: undefined, refusal: undefined };
    for (const script of all) {
      if (scripts.includes(script)) continue;
      const setAside: ScriptReport = { script: script.name, outcome: 'set-aside', micros: 0, problems: [] };
      report.scripts.push(setAside);
      if (isGuard(script)) passage.refusal ??= `${script.name}: it is set aside, as it kept failing`;
    }
    if (scripts.length === 0) return passage;
    Object.assign(passage, start());
    const byId = new Map(scripts.map(script => [script.id, script]));
    current = subject;
    const chosen = monotonicNow();
    let merge = 0;
    const times = await sandbox.run(
      {
        handler,
        scripts: [...byId.keys()],
        deadline: deadline.scripts,
        compose: compositionOf(handler),
        input: () => asChanged(passage.composition, input),
      },
      result => {
        const script = byId.get(result.id);
        if (!script) return;
        const taking = monotonicNow();
        const report = take(passage, script, result);
        merge += microsBetween(taking, monotonicNow());
        if (report.outcome === 'ok' || !isGuard(script)) return;
        passage.refusal ??= `${script.name}: ${report.error ?? report.problems[0]?.message ?? report.outcome}`;
      },
    );
    current = undefined;
    const order = all.map(script => script.name);
    report.scripts.sort((a, b) => order.indexOf(a.script) - order.indexOf(b.script));
    report.micros = microsBetween(arrived, monotonicNow());
    if (times)
      report.stages = { decode, wait: microsBetween(arrived, begun), choose: microsBetween(begun, chosen), ...times, merge, reply: 0 };
    return passage;
  }

  function take(passage: Passage, script: ActiveScript, result: ScriptRun): ScriptReport {
    const report: ScriptReport = { script: script.name, outcome: result.outcome, micros: result.micros, problems: [] };
    passage.report.scripts.push(report);
    if (result.outcome !== 'ok') {
      const { name, message, stack } = result.error;
      if (result.outcome === 'timeout') report.error = `still running after ${Math.round(result.micros / 1000)} ms`;
      else report.error = name && name !== 'Error' ? `${name}: ${message}` : message;
      const where = script.positions.first(stack);
      if (where) report.where = where;
      if (stack) report.stack = script.positions.stack(stack);
      if (result.outcome !== 'budget') options.quarantine.record(script.name, faultOf(result), report.error);
      return report;
    }
    options.quarantine.record(script.name, 'none', '');
    if (result.state && !options.onState(script.name, result.state))
      report.error = 'what it wants kept in nri.state is too much: nothing of it was taken';
    const from = { script: script.name, allow: new Set(script.settings.allow as Grant[]), shadow: script.settings.mode === 'shadow' };
    if (passage.report.handler === 'validateContainerAdjustment') {
      const { reject, problems } = validateRejection(result.result);
      report.problems.push(...problems);
      if (reject !== undefined && !from.shadow) passage.rejected ??= reject;
    } else if (passage.composition) {
      const { problems } = contribute(passage.composition, from, result.result);
      report.problems.push(...problems);
    }
    if (report.problems.some(problem => problem.effect === 'refused')) {
      report.outcome = 'refused';
      return report;
    }
    if (result.updates.length > 0) {
      passage.unsolicited ??= beginUpdate({ nriVersion: options.nriVersion(), known: inventory.container });
      report.problems.push(...contribute(passage.unsolicited, from, { update: result.updates }).problems);
    }
    return report;
  }

  /** Finishes what the scripts returned; sends on what they asked for beside the answer. */
  function answer(passage: Passage, deadline: Deadline): { adjust?: object; update: ContainerUpdate[] } {
    const finished = passage.composition ? finish(passage.composition) : { update: [], ledger: [] };
    passage.report.ledger.push(...finished.ledger);
    if (passage.unsolicited) {
      const { update, ledger } = finish(passage.unsolicited);
      passage.report.ledger.push(...ledger);
      if (update.length > 0) options.onUpdates(update);
    }
    if (passage.rejected !== undefined) passage.report.rejected = passage.rejected;
    const now = monotonicNow();
    passage.report.left = deadline.runtime - now;
    passage.report.late = takesAnswer(passage.report.handler) && now >= deadline.answer;
    unreported.push({ report: passage.report, answeredAt: now });
    return { ...(finished.adjust && { adjust: finished.adjust }), update: finished.update };
  }

  return {
    configure(request) {
      const arrived = arrivalOf();
      const deadline = deadlineOf(Number.POSITIVE_INFINITY, options.requestTimeout());
      void inTurn(
        async () => answer(await run({ handler: 'configure' }, configureInput(request), deadline, arrived, () => ({})), deadline),
        false,
      );
    },
    synchronize(request, call) {
      const arrived = arrivalOf(call);
      const deadline = deadlineOf(call.deadline, options.requestTimeout());
      // In turn: what the last connection's events, of which some may wait, tell of the node is older than this.
      const work = inTurn(async () => {
        const input = inventory.synchronize(request);
        if (input.missed.length > 0) options.onMissed(input.missed);
        const start = () => ({ composition: beginUpdate({ nriVersion: options.nriVersion(), known: inventory.container }) });
        const { update } = answer(await run({ handler: 'synchronize' }, input, deadline, arrived, start), deadline);
        return { update };
      });
      return before<SynchronizeResponse>(deadline, work, () => ({}));
    },
    async event(handler, request, call) {
      const arrived = arrivalOf(call);
      const deadline = deadlineOf(call.deadline, options.requestTimeout());
      const guards = canFail(handler) ? options.active().filter(script => isGuard(script) && script.handlers.includes(handler)) : [];
      const isAwaited = guards.length > 0 || takesAnswer(handler) || backlog >= maxBacklog;
      const work = inTurn(async () => {
        const { pod, container } = inventory.observe(request);
        const subject: Subject = { handler, pod: { id: pod.id, name: pod.name, namespace: pod.namespace } };
        if (container) subject.container = { id: container.id, name: container.name };
        const input = eventInput(handler, request, pod, container);
        const passage = await run(subject, input, deadline, arrived, () => ({ composition: composing(handler, input) }));
        const finished = answer(passage, deadline);
        inventory.forget(handler, pod, container);
        if (passage.refusal !== undefined && canFail(handler)) throw new RefusalError(passage.refusal);
        return responseOf(handler, finished, passage.rejected);
      }, isAwaited);
      if (guards.length > 0) return before(deadline, work, () => refuse(`${guards[0]!.name}: no time was left for it to agree`));
      return isAwaited ? before(deadline, work, () => ({})) : {};
    },
    current: () =>
      current && {
        handler: current.handler,
        pod: current.pod ? `${current.pod.namespace}/${current.pod.name}` : '',
        container: current.container?.name ?? '',
      },
    settled: async () => {
      await queue;
      await told;
    },
  };

  function composing(handler: HandlerName, input: EventInput): Composition | undefined {
    const nriVersion = options.nriVersion();
    const known = inventory.container;
    const container = input['container'] as Parameters<typeof beginCreate>[0]['container'];
    if (handler === 'createContainer') return beginCreate({ container, nriVersion, known });
    if (handler === 'stopContainer') return beginUpdate({ nriVersion, known });
    if (handler !== 'updateContainer') return undefined;
    return beginUpdate({ containerId: container.id, linuxResources: input['linuxResources'] as object, nriVersion, known });
  }
}

/** The event as changed so far: for a sandbox process that takes over half way. */
function asChanged(composition: Composition | undefined, input: EventInput): EventInput {
  if (!composition) return input;
  if ('linuxResources' in input) return { ...input, linuxResources: viewResources(composition) ?? input['linuxResources'] };
  return 'container' in input ? { ...input, container: viewContainer(composition) ?? input['container'] } : input;
}

function responseOf(handler: HandlerName, finished: { adjust?: object; update: ContainerUpdate[] }, rejected: string | undefined): object {
  if (handler === 'createContainer') return finished satisfies CreateContainerResponse;
  if (handler === 'updateContainer' || handler === 'stopContainer') return { update: finished.update };
  if (handler !== 'validateContainerAdjustment' || rejected === undefined) return {};
  return { reject: true, reason: rejected } satisfies ValidateContainerAdjustmentResponse;
}

function faultOf({ outcome, costProcess }: Exclude<ScriptRun, { outcome: 'ok' }>): Fault {
  if (costProcess) return costProcess === 'ended' ? 'hang' : 'crash';
  return outcome === 'timeout' || outcome === 'memory' ? 'slow' : 'none';
}

function arrivalOf(call?: Call): Arrival {
  const decode = call?.receivedAt === undefined ? 0 : microsBetween(call.receivedAt, performance.now());
  return { arrived: monotonicNow(), decode };
}

function microsBetween(from: number, to: number): number {
  return Math.max(0, Math.round((to - from) * 1000));
}

/** A script whose failure is to fail the operation. */
function isGuard(script: ActiveScript): boolean {
  return script.settings.onError === 'fail' && script.settings.mode === 'enforce';
}

function refuse(message: string): never {
  throw new RefusalError(message);
}

/** What `work` gives, or `otherwise` when it has given nothing by the time that the answer must leave. */
function before<Answer>(deadline: Deadline, work: Promise<Answer>, otherwise: () => Answer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const expire = () => resolve(Promise.resolve().then(otherwise));
    const timer = setTimeout(expire, Math.max(0, deadline.answer - monotonicNow()));
    const settle = () => clearTimeout(timer);
    work.then(resolve, reject).then(settle);
  });
}
