// A disk of 16 MB that is there for one program alone, and can be filled to the last byte.

import { closeSync, openSync, writeSync } from 'node:fs';

import { isRoot, run, temporaryFolder } from './processes.mjs';

// For `sh -c`: mounts it at "$1", in the mount namespace that `unshare --mount` has made.
export const mountTmpfs = 'mount -t tmpfs -o size=16m tmpfs "$1"';

// Why this machine has none; false if it has.
export async function whyNoSmallDisk() {
    if (!isRoot) return 'only root can mount a small disk';
    const tried = await run('unshare', ['--mount', 'sh', '-c', mountTmpfs, 'sh', temporaryFolder()]);
    return tried.code !== 0 && `this machine lets nobody mount: ${tried.stderr.trim()}`;
}

// Writes the file until nothing more goes onto its disk.
export function fillDisk(path) {
    const file = openSync(path, 'w');
    try {
        for (const size of [65536, 4096, 512, 1])
            for (;;) {
                try {
                    if (writeSync(file, Buffer.alloc(size)) < size) break;
                } catch (error) {
                    if (error.code !== 'ENOSPC') throw error;
                    break;
                }
            }
    } finally {
        closeSync(file);
    }
}
