/** What scripts may know of the node (`nri.node`). */
import { existsSync } from 'node:fs';
import { availableParallelism, hostname, totalmem } from 'node:os';
import type { Node } from '../../types/index.d.ts';

export function nodeFacts(): Node {
  return {
    name: hostname(),
    arch: process.arch,
    cpus: availableParallelism(),
    memory: totalmem(),
    cgroupVersion: existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1,
  };
}
