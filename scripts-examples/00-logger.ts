/**
 * Logs every event with its pod and container, as the logger plugin of containerd/nri does. Settings: 00-logger.yaml.
 * The script only logs: with `logFile` in the settings, the host also writes the lines there.
 */
import type { HandlerName, Nri, Script } from 'nri-scripts';

type Config = {
  /** Which events are logged, by handler name; all without it. */
  events?: HandlerName[];
  /** An annotation or variable that containers get unless they have it. */
  addAnnotation?: string;
  addEnv?: string;
  /** An annotation or variable that containers get whatever they have. */
  setAnnotation?: string;
  setEnv?: string;
};

const mark = 'nri-scripts-logger';

function log(handler: HandlerName, event: object, nri: Nri<Config | undefined>): void {
  const { events } = nri.config ?? {};
  if (!events || events.includes(handler)) nri.log.info(handler, { ...event });
}

export default {
  configure: (event, nri) => log('configure', event, nri),
  synchronize: (event, nri) => log('synchronize', event, nri),
  runPodSandbox: (event, nri) => log('runPodSandbox', event, nri),
  updatePodSandbox: (event, nri) => log('updatePodSandbox', event, nri),
  postUpdatePodSandbox: (event, nri) => log('postUpdatePodSandbox', event, nri),
  stopPodSandbox: (event, nri) => log('stopPodSandbox', event, nri),
  removePodSandbox: (event, nri) => log('removePodSandbox', event, nri),
  createContainer(event, nri) {
    log('createContainer', event, nri);
    const { addAnnotation, addEnv, setAnnotation, setEnv } = nri.config ?? {};
    const { annotations, env } = event.container;
    return {
      adjust: {
        annotations: {
          ...(addAnnotation && !(addAnnotation in annotations) && { [addAnnotation]: mark }),
          ...(setAnnotation && { [setAnnotation]: mark }),
        },
        env: {
          ...(addEnv && !(addEnv in env) && { [addEnv]: mark }),
          ...(setEnv && { [setEnv]: mark }),
        },
      },
    };
  },
  postCreateContainer: (event, nri) => log('postCreateContainer', event, nri),
  startContainer: (event, nri) => log('startContainer', event, nri),
  postStartContainer: (event, nri) => log('postStartContainer', event, nri),
  updateContainer: (event, nri) => log('updateContainer', event, nri),
  postUpdateContainer: (event, nri) => log('postUpdateContainer', event, nri),
  stopContainer: (event, nri) => log('stopContainer', event, nri),
  removeContainer: (event, nri) => log('removeContainer', event, nri),
} satisfies Script<Config | undefined>;
