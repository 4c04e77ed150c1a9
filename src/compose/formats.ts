/**
 * The values that adjustments and updates consist of.
 *
 * A value that would only make the container fail later (a relative path, an impossible interface name) is refused here, where the
 * script's author is told. Bounds are Linux's where it has them, else generous.
 */
import { boolean, int64, integer, listOf, message, oneOf, optional, plain, required, text, uint32, uint64 } from './value-types.ts';

/** PATH_MAX, 4096 with its NUL (limits.h, path_resolution(7)). */
const maxPath = 4095;
/** MAX_ARG_STRLEN, 32 pages with the NUL: the longest single argument or `NAME=value` (execve(2)). */
const maxString = 131071;
/** NAME_MAX (limits.h). */
const maxName = 255;
const maxEntries = 1024;

const anyText = text('a string', maxString);
const shortText = text('a string', 4096);
const name = text('a name', maxName, /^[^/]+$/);

const absolutePath = text('an absolute path', maxPath, /^\//);
const pathOrNone = text('an absolute path or an empty string', maxPath, /^(?:\/|$)/);
export const cgroupsPath = text('a path', maxPath);

/** environ(7): a name has no `=`. Name, `=` and value together are one string of execve(2). */
export const envName = text('an environment variable name without "="', 255, /^[^=]+$/);
export const envValue = text('a string', maxString - 256);

/** Kubernetes limits all annotations of an object together to 256 KiB (TotalAnnotationSizeLimitB). */
export const annotationKey = text('a non-empty key', 4096, /./s);
export const annotationValue = text('a string', 262144);

/** NRI takes an empty first entry for a mark and drops it (fact E5); as a program's name it would be none (execve(2)). */
export const args = listOf(anyText, 8192, ([program]) =>
  program === '' ? 'expected a program as the first entry, got an empty string' : undefined,
);

export const mount = message({
  destination: required(absolutePath),
  type: plain(text('a file system type', maxName)),
  source: plain(text('a path or a name', maxPath)),
  options: plain(listOf(shortText, 256)),
});

const hook = message({
  path: required(absolutePath),
  args: plain(listOf(anyText, maxEntries)),
  env: plain(listOf(text('NAME=value', maxString, /^[^=]+=/), maxEntries)),
  // OCI config.md, "POSIX-platform Hooks": a timeout must be greater than zero.
  timeout: optional(integer('an integer', 1n, int64.max)),
});
export const hooks = listOf(hook, 256);

/** mknod(2); OCI config-linux.md, "Devices". */
export const device = message({
  path: required(absolutePath),
  type: required(oneOf('c', 'b', 'u', 'p')),
  major: plain(int64),
  minor: plain(int64),
  fileMode: optional(uint32),
  uid: optional(uint32),
  gid: optional(uint32),
});

export const deviceRules = listOf(
  message({
    allow: plain(boolean),
    // Empty means all, as 'a' does.
    type: plain(oneOf('', 'a', 'b', 'c')),
    major: optional(int64),
    minor: optional(int64),
    access: plain(text('of r, w and m', 3, /^[rwm]*$/)),
  }),
  maxEntries,
);

/** CDI specification, "Device Names": vendor/class=name. */
export const cdiDevice = message({
  name: required(text('vendor.com/class=name', 512, /^[A-Za-z][\w.-]*\/[A-Za-z][\w-]*=[A-Za-z0-9][\w.:-]*$/)),
});

/** namespaces(7) by their OCI names. */
export const namespaceType = oneOf('pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time');
export const namespace = message({ type: required(namespaceType), path: plain(pathOrNone) });

/** A name below /proc/sys, with dots or slashes (sysctl(8)). */
export const sysctlKey = text('a sysctl name', maxName, /^(?!.*(?:^|\/)\.\.(?:\/|$))[\w.\-/:@]+$/);
export const sysctlValue = text('a string', 4096);

/** IFNAMSIZ is 16 with the NUL; the kernel refuses `.`, `..`, slashes, colons and white space (netdevice(7), dev_valid_name). */
export const interfaceName = text('a network interface name', 15, /^(?!\.{1,2}$)[^/:\s]+$/);
export const netDevice = message({ name: plain(text('a network interface name or an empty string', 15, /^(?!\.{1,2}$)[^/:\s]*$/)) });

/** getrlimit(2). */
export const rlimit = message(
  {
    type: required(
      oneOf(
        'RLIMIT_AS',
        'RLIMIT_CORE',
        'RLIMIT_CPU',
        'RLIMIT_DATA',
        'RLIMIT_FSIZE',
        'RLIMIT_LOCKS',
        'RLIMIT_MEMLOCK',
        'RLIMIT_MSGQUEUE',
        'RLIMIT_NICE',
        'RLIMIT_NOFILE',
        'RLIMIT_NPROC',
        'RLIMIT_RSS',
        'RLIMIT_RTPRIO',
        'RLIMIT_RTTIME',
        'RLIMIT_SIGPENDING',
        'RLIMIT_STACK',
      ),
    ),
    hard: required(uint64),
    soft: required(uint64),
  },
  // setrlimit(2): EINVAL.
  ({ hard, soft }) => ((soft as bigint) > (hard as bigint) ? `soft ${soft} is above hard ${hard}` : undefined),
);

/** cpuset(7), "List format"; empty is NRI's unset. */
export const numberList = text('a list like 0-3,8', 4096, /^(?:\d+(?:-\d+(?::\d+\/\d+)?)?(?:,\d+(?:-\d+(?::\d+\/\d+)?)?)*)?$/);

/** OCI config-linux.md, "Huge page limits". */
export const hugepageLimit = message({
  pageSize: required(text('a page size like 2MB or 1GB', 32, /^[1-9]\d*[KMGT]B$/)),
  limit: required(uint64),
});

/** A file of the cgroup (cgroups(7)). */
export const cgroupFile = name;
export const cgroupValue = text('a string', 4096);

/** The name of a class that the runtime is configured with. */
export const className = text('a class name', maxName);

/** proc(5), /proc/pid/oom_score_adj. */
export const oomScoreAdj = integer('an integer', -1000n, 1000n);
/** OCI config-linux.md, "Memory". */
export const swappiness = integer('an integer', 0n, 100n);

/** ioprio_set(2). */
export const ioPriority = message({
  class: required(oneOf('IOPRIO_CLASS_NONE', 'IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE')),
  priority: plain(integer('an integer', 0n, 7n)),
});

/** sched_setattr(2); nice and priority are int32 on the wire. */
export const scheduler = message({
  policy: required(
    oneOf('SCHED_NONE', 'SCHED_OTHER', 'SCHED_FIFO', 'SCHED_RR', 'SCHED_BATCH', 'SCHED_ISO', 'SCHED_IDLE', 'SCHED_DEADLINE'),
  ),
  nice: plain(integer('an integer', -20n, 19n)),
  priority: plain(integer('an integer', 0n, 99n)),
  flags: plain(
    listOf(
      oneOf(
        'SCHED_FLAG_RESET_ON_FORK',
        'SCHED_FLAG_RECLAIM',
        'SCHED_FLAG_DL_OVERRUN',
        'SCHED_FLAG_KEEP_POLICY',
        'SCHED_FLAG_KEEP_PARAMS',
        'SCHED_FLAG_UTIL_CLAMP_MIN',
        'SCHED_FLAG_UTIL_CLAMP_MAX',
      ),
      16,
    ),
  ),
  runtime: plain(uint64),
  deadline: plain(uint64),
  period: plain(uint64),
});

/** set_mempolicy(2). */
export const memoryPolicy = message({
  mode: required(
    oneOf(
      'MPOL_DEFAULT',
      'MPOL_PREFERRED',
      'MPOL_BIND',
      'MPOL_INTERLEAVE',
      'MPOL_LOCAL',
      'MPOL_PREFERRED_MANY',
      'MPOL_WEIGHTED_INTERLEAVE',
    ),
  ),
  nodes: plain(numberList),
  flags: plain(listOf(oneOf('MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_NUMA_BALANCING'), 16)),
});

/** A directory below /sys/fs/resctrl (OCI config-linux.md, "IntelRdt"). */
export const closId = text('a class of service name', maxName, /^(?!\.{1,2}$)[^/]*$/);
export const schemata = listOf(text('a schemata line', 4096, /^[^\n]*$/), 256);

const seccompAction = oneOf(
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
);

/** OCI config-linux.md, "Seccomp". */
export const seccompPolicy = message({
  defaultAction: required(seccompAction),
  defaultErrno: optional(uint32),
  architectures: plain(listOf(text('SCMP_ARCH_…', 64, /^SCMP_ARCH_\w+$/), 64)),
  flags: plain(listOf(text('SECCOMP_FILTER_FLAG_…', 64, /^SECCOMP_FILTER_FLAG_\w+$/), 16)),
  listenerPath: plain(text('a path', maxPath)),
  listenerMetadata: plain(anyText),
  syscalls: plain(
    listOf(
      message({
        names: required(listOf(text('a system call name', 64, /^\w+$/), 2048)),
        action: required(seccompAction),
        errnoRet: optional(uint32),
        args: plain(
          listOf(
            message({
              index: required(integer('an integer', 0n, 5n)),
              value: required(uint64),
              valueTwo: plain(uint64),
              op: required(
                oneOf('SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ'),
              ),
            }),
            64,
          ),
        ),
      }),
      2048,
    ),
  ),
});
