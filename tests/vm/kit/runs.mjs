// What a run of tests leaves on the machine while it has VMs, and how that goes away: by the run
// itself, or, if it was killed, by the next one. A run is a test process; its name is its pid and
// the moment at which that process started, and whatever it makes bears that name:
//
//     $SYNAPSEX_VM_CACHE/runs/NAME/VM/      the disk of a VM, a mount
//     /sys/fs/cgroup/…/synapsex-vm/NAME/VM  its processes
//     /run/netns/sxvm-NAME-…                networks

import { execFileSync } from 'node:child_process';
import {
    existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync,
} from 'node:fs';
import { join } from 'node:path';

export const cache = process.env.SYNAPSEX_VM_CACHE || '/var/cache/synapsex-vm';
const runs = join(cache, 'runs');
const prefix = 'sxvm-';

const wait = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
const namesIn = (folder) => (existsSync(folder) ? readdirSync(folder) : []);

// In ticks since the machine started; undefined if there is no such process, or it is a zombie.
function startOf(pid) {
    try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
        return fields[0] === 'Z' ? undefined : fields[19];
    } catch {
        return undefined;
    }
}

export const thisRun = `${process.pid}-${startOf(process.pid)}`;

function isAlive(run) {
    const [pid, start] = run.split('-');
    return startOf(pid) === start;
}

export const folderOf = (vm) => join(runs, thisRun, vm);
export const namespace = (name) => `${prefix}${thisRun}-${name}`;

// --- cgroups ---

// Where the machine has cgroup2, and systemd's own tree of version 1 beside it if there is one.
function cgroupTrees() {
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' '));
    const two = mounts.find(([, , type]) => type === 'cgroup2');
    const one = mounts.find(([, , type, options]) => type === 'cgroup' && options?.includes('name=systemd'));
    return [two, one].filter(Boolean).map(([, folder]) => join(folder, 'synapsex-vm'));
}

// The folders for a VM's processes, the one of cgroup2 first.
export function makeCgroups(vm) {
    const folders = cgroupTrees().map((tree) => join(tree, thisRun, vm));
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    return folders;
}

export function pidsIn(cgroup) {
    try {
        return readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
    } catch (error) {
        if (['ENOENT', 'ENODEV'].includes(error.code)) return [];
        throw error;
    }
}

const childrenOf = (cgroup) => (existsSync(cgroup)
    ? readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(cgroup, entry.name))
    : []);
const withAllBelow = (cgroup) => [...childrenOf(cgroup).flatMap(withAllBelow), cgroup];

// Kills every process in there, waits for their end and removes the folders.
export function endCgroup(cgroup) {
    const deadline = Date.now() + 20_000;
    for (;;) {
        const pids = withAllBelow(cgroup).flatMap(pidsIn);
        if (pids.length === 0) break;
        if (Date.now() > deadline) throw new Error(`processes ${pids.join(', ')} do not end, 20 s after SIGKILL`);
        for (const pid of pids) kill(pid);
        wait(20);
    }
    for (const folder of withAllBelow(cgroup)) ignoring(['ENOENT'], () => rmdirSync(folder));
}

function kill(pid) { ignoring(['ESRCH'], () => process.kill(pid, 'SIGKILL')); }

function ignoring(codes, act) {
    try {
        act();
    } catch (error) {
        if (!codes.includes(error.code)) throw error;
    }
}

// Another run may be removing the same.
function untilGone(isThere, remove) {
    try {
        remove();
    } catch (error) {
        if (isThere()) throw error;
    }
}

// --- mounts, namespaces ---

export const mountsBelow = (folder) => readFileSync('/proc/mounts', 'utf8').split('\n')
    .map((line) => line.split(' ')[1]?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8))))
    .filter((path) => path?.startsWith(`${folder}/`));

export function removeNamespace(name) {
    if (!existsSync(`/run/netns/${name}`)) return;
    untilGone(() => existsSync(`/run/netns/${name}`), () => {
        for (const pid of execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n').filter(Boolean)) kill(Number(pid));
        execFileSync('ip', ['netns', 'delete', name], { stdio: 'pipe' });
    });
}

// The disk of a VM whose processes have ended.
export function removeDisk(folder) {
    // A killed nspawn leaves its lock, which is named by the root's device and inode.
    const disk = join(folder, 'root');
    if (existsSync(disk)) {
        const { dev, ino } = statSync(disk);
        rmSync(`/run/systemd/nspawn/locks/inode-${dev}:${ino}`, { force: true });
    }
    for (const mount of mountsBelow(folder).reverse())
        untilGone(() => mountsBelow(folder).includes(mount), () => execFileSync('umount', ['--', mount], { stdio: 'pipe' }));
    execFileSync('rm', ['-rf', '--one-file-system', '--', folder]);
}

// --- runs ---

export function removeRun(run) {
    for (const tree of cgroupTrees()) endCgroup(join(tree, run));
    for (const name of namesIn('/run/netns'))
        if (name.startsWith(`${prefix}${run}-`)) removeNamespace(name);
    for (const vm of namesIn(join(runs, run))) removeDisk(join(runs, run, vm));
    rmSync(join(runs, run), { recursive: true, force: true });
    for (const name of namesIn('/run/systemd/nspawn/propagate'))
        if (name.startsWith(`${prefix}${run}-`)) rmSync(join('/run/systemd/nspawn/propagate', name), { recursive: true, force: true });
}

// What runs that were killed have left; says whose it was.
export function removeLeftovers() {
    const found = new Set();
    const namespaces = namesIn('/run/netns').filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    for (const name of [...namesIn(runs), ...cgroupTrees().flatMap(namesIn), ...namespaces]) {
        const run = /^\d+-\d+(?=$|-)/.exec(name)?.[0];
        if (run && !isAlive(run)) found.add(run);
    }
    for (const run of found) removeRun(run);
    return [...found];
}

// --- the end of this run ---

let isUsed = false;

export function beginRun() {
    if (isUsed) return;
    isUsed = true;
    removeLeftovers();
    mkdirSync(join(runs, thisRun), { recursive: true, mode: 0o700 });
    process.on('exit', () => removeRun(thisRun));
}
