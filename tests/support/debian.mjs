// Our packages, and a small Debian to install them in: a copy of a cached root, entered with chroot,
// with a /proc and processes of its own, gone when the test process ends.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { isRoot, Program, root, run, temporaryFolder } from './processes.mjs';

export const packages = resolve(root, process.env.SYNAPSEX_PACKAGES ?? join('build', 'packages'));
export const names = ['synapsex-agent', 'synapsex-controlplane', 'synapsexctl'];

// Why there is nothing to look at; false if there is.
export const whyNoPackages = !existsSync(packages) && `no packages in ${packages}: tests/run.sh packages`;

export function debOf(name, folder = packages) {
    const found = existsSync(folder) ? readdirSync(folder).filter((file) => file.startsWith(`${name}_`) && file.endsWith('.deb')) : [];
    assert.equal(found.length, 1, `${folder} has ${found.length} packages ${name}; packaging/deb/build.sh makes one`);
    return join(folder, found[0]);
}
export const fieldOf = (deb, field) => execFileSync('dpkg-deb', ['--field', deb, field], { encoding: 'utf8' }).trim();

const unpackedPackages = new Map();
// The folder with its files, and its control files in DEBIAN.
export function unpacked(name) {
    if (!unpackedPackages.has(name)) {
        const folder = join(temporaryFolder(), name);
        execFileSync('dpkg-deb', ['--raw-extract', debOf(name), folder]);
        unpackedPackages.set(name, folder);
    }
    return unpackedPackages.get(name);
}

// The values of a key in a unit, in the order in which they stand.
export function unitValues(unit, key) {
    return readFileSync(unit, 'utf8').split('\n')
        .filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

export async function whyNoDebian() {
    if (whyNoPackages) return whyNoPackages;
    if (!isRoot) return 'only root can enter another root';
    const tried = await run('unshare', ['--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'tmpfs', temporaryFolder()]);
    return tried.code !== 0 && `this machine lets nobody mount: ${tried.stderr.trim()}`;
}

let cached;
// The first process stays the shell: what is the first in its namespace cannot kill itself.
const inside = 'mount -t proc proc "$1/proc" && mount --bind "$2" "$1/run" && shift 2 && chroot "$@"; exit $?';

export class Debian {
    static async make() {
        if (!cached) {
            const made = await run(join(root, 'tests', 'packages', 'make_root.sh'), [], { within: 600_000, env: process.env });
            assert.equal(made.code, 0, made.stderr.slice(-4000));
            cached = made.stdout.trim();
        }
        return new Debian(cached);
    }

    constructor(from) {
        this.folder = join(temporaryFolder(), 'root');
        // /run outlives each command, as it does on a machine.
        this.run_ = join(this.folder, '..', 'run');
        mkdirSync(this.run_);
        execFileSync('cp', ['--archive', '--reflink=auto', from, this.folder]);
        // No sync of each file: what is tested is no power cut.
        this.write('/etc/dpkg/dpkg.cfg.d/fast', 'force-unsafe-io\n');
    }

    path(path) { return join(path.startsWith('/run/') ? dirname(this.run_) : this.folder, path); }
    write(path, text, mode = 0o644) {
        mkdirSync(dirname(this.path(path)), { recursive: true });
        writeFileSync(this.path(path), text, { mode });
    }
    read(path) { return readFileSync(this.path(path), 'utf8'); }
    has(path) { return existsSync(this.path(path)); }
    // "synapsex-agent:synapsex-agent 700"
    async modeOf(path) { return (await this.must('stat', '--format', '%U:%G %a', path)).trim(); }

    command(words, env) {
        const flags = ['--mount', '--pid', '--fork', '--kill-child=SIGKILL', 'sh', '-c', inside, 'sh'];
        const variables = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive', ...env };
        return [...flags, this.folder, this.run_, this.folder, 'env', '-i',
            ...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...words];
    }
    // Runs a command in it, to its end; nothing is typed, as in an unattended installation.
    run(words, { env = {} } = {}) { return run('unshare', this.command(words, env), { within: 120_000 }); }
    async must(...words) {
        const done = await this.run(words);
        assert.equal(done.code, 0, `${words.join(' ')}\n${done.stdout}\n${done.stderr}`);
        return done.stdout;
    }
    start(words, { env = {}, name } = {}) { return new Program('unshare', this.command(words, env), { name }); }

    // Copies packages into it; their paths inside.
    take(...debs) {
        return debs.map((deb) => {
            const path = `/tmp/${deb.split('/').pop()}`;
            cpSync(deb, this.path(path));
            return path;
        });
    }
    async install(...debs) { return this.must('dpkg', '--install', ...this.take(...debs)); }
    async stateOf(name) {
        const done = await this.run(['dpkg-query', '--show', '--showformat', '${db:Status-Status}', name]);
        return done.code === 0 ? done.stdout : 'not-installed';
    }
}
