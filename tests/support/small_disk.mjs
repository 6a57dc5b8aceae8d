// A small disk that is there for one program alone, and can be filled to the last byte.

import { closeSync, openSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import { isRoot, run, temporaryFolder } from './processes.mjs';

// For `sh -c`: mounts it at "$1", in the mount namespace that `unshare --mount` has made.
export const mountTmpfsOf = (megabytes) => `mount -t tmpfs -o size=${megabytes}m tmpfs "$1"`;
export const mountTmpfs = mountTmpfsOf(16);

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

// Lets the file grow until `percent` of its disk are free.
export function fillDiskTo(path, percent) {
    const file = openSync(path, 'a');
    try {
        const { bavail, blocks, bsize } = statfsSync(dirname(path));
        for (let left = bavail - Math.round((blocks * percent) / 100); left > 0; --left)
            writeSync(file, Buffer.alloc(bsize));
    } finally {
        closeSync(file);
    }
}
