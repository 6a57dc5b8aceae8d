// Roots of Debian, made once and kept outside the checkout: what the disk of a VM is a copy of.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { cache } from './runs.mjs';

const recipe = join(dirname(fileURLToPath(import.meta.url)), 'make_root.sh');

export function rootOf(suite) {
    const hash = createHash('sha256').update(readFileSync(recipe)).digest('hex').slice(0, 12);
    return join(cache, 'roots', `${suite}-${hash}`);
}

// Its folder; made if it is not there, which takes a minute or two.
export async function debianRoot(suite) {
    const folder = rootOf(suite);
    if (existsSync(folder)) return folder;
    try {
        // Ends with this process, however that ends.
        await promisify(execFile)('setpriv', ['--pdeathsig', 'KILL', '--', recipe, suite, folder], { timeout: 900_000, killSignal: 'SIGKILL', maxBuffer: 1 << 26 });
    } catch (error) {
        throw new Error(`no root of ${suite}: ${error.message}\n${error.stdout?.slice(-4000)}${error.stderr}`);
    }
    return folder;
}

// Why this machine cannot boot VMs; false if it can.
export function whyNoVms() {
    if (process.getuid() !== 0) return 'only root can boot VMs';
    const isProgram = (name) => process.env.PATH.split(':').concat('/usr/sbin', '/sbin').some((folder) => existsSync(join(folder, name)));
    const missing = ['systemd-nspawn', 'debootstrap', 'ip', 'nsenter', 'unshare', 'flock'].filter((name) => !isProgram(name));
    if (missing.length > 0) return `${missing.join(', ')} not installed`;
    const tree = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
    if (!tree) return 'this machine has no cgroup2';
    try {
        accessSync(tree, constants.W_OK);
    } catch {
        return `${tree} cannot be written: VMs need cgroups of their own`;
    }
    return false;
}
