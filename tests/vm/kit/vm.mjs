// A VM of a test: a Debian root that systemd has booted, in a container of systemd-nspawn. It
// shares the kernel and the clock of the machine and is otherwise one by itself: init, units,
// users, processes, network, disk, machine id.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { eventually, Program, run } from '../../support/processes.mjs';
import { endCgroup, folderOf, makeCgroups, namespace, pidsIn, removeDisk, removeNamespace } from './runs.mjs';

const kit = dirname(fileURLToPath(import.meta.url));
const kRebooted = 133;  // how systemd-nspawn ends when its VM wants to start again
const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive'];

export class Vm {
    constructor(network, { name, number }) {
        this.network = network;
        this.name = name;
        this.address = `198.51.100.${10 + number}`;
        this.id = `${network.name}-${name}`;
        this.folder = folderOf(this.id);
        this.disk = join(this.folder, 'root');
        this.namespace = namespace(this.id);
        this.port = `vm${number}`;  // on the switch
        this.number = number;
        this.cgroups = [];
    }

    async make(root) {
        const { network } = this;
        mkdirSync(this.disk, { recursive: true });
        await this.#copy(root);
        writeFileSync(join(this.disk, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
        writeFileSync(join(this.disk, 'etc/hostname'), `${this.name}\n`);
        await this.writeHosts();
        await network.command('ip', 'netns', 'add', this.namespace);
        await network.ip('link', 'add', this.port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.namespace);
        await network.ip('link', 'set', this.port, 'master', 'switch', 'up');
        const inside = (...words) => network.command('ip', '-n', this.namespace, ...words);
        await inside('address', 'add', `${this.address}/24`, 'dev', 'eth0');
        await inside('link', 'set', 'lo', 'up');
        await inside('link', 'set', 'eth0', 'up');
        await inside('route', 'add', 'default', 'via', network.address);
    }

    // On top of the root, or, where there is no overlayfs (in a Docker image, say), a copy of it.
    async #copy(root) {
        const at = (name) => join(this.folder, name);
        for (const name of ['upper', 'work']) mkdirSync(at(name));
        const options = `lowerdir=${root},upperdir=${at('upper')},workdir=${at('work')}`;
        const mounted = await run('mount', ['-t', 'overlay', '-o', options, 'overlay', this.disk]);
        this.isCopy = mounted.code !== 0;
        if (!this.isCopy) return;
        await this.network.command('cp', '-a', '--reflink=auto', '-T', '--', root, this.disk);
    }

    async writeHosts() {
        if (!existsSync(join(this.disk, 'etc'))) return;
        const lines = [...this.network.hosts].map(([host, address]) => `${address} ${host}\n`);
        writeFileSync(join(this.disk, 'etc/hosts'), `127.0.0.1 localhost\n${lines.join('')}`);
    }

    // --- power ---

    get isOn() { return this.#leader() !== undefined; }

    // On, and every unit that is to start has; what failed is told.
    async boot(options) {
        assert.ok(!this.process?.isRunning, `${this.name} is on`);
        this.#start();
        await this.up(options);
    }

    #start() {
        this.#end();  // what the boot before has left
        this.cgroups = makeCgroups(this.id);
        const [one, two = one] = this.cgroups;
        this.process = new Program('sh', [
            '-c', 'echo $$ >"$1"/cgroup.procs && echo $$ >"$2"/cgroup.procs && shift 2 && exec systemd-nspawn "$@"', 'sh', one, two,
            '--quiet', `--directory=${this.disk}`, `--machine=${this.namespace}`, `--hostname=${this.name}`,
            '--keep-unit', '--register=no', `--network-namespace-path=/run/netns/${this.namespace}`,
            '--capability=CAP_NET_ADMIN',  // over its own network; without it a newer systemd skips PrivateNetwork=
            '--resolv-conf=off', '--timezone=off', '--link-journal=no', '--console=pipe', '--boot',
            'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1',  // a newer systemd looks at the machine's cgroups, not at its own
        ], { name: `VM ${this.name}`, env: { UNIFIED_CGROUP_HIERARCHY: '1' } });
        this.process.exited.then(({ code }) => {
            if (!this.isRemoved && code === kRebooted) this.#start();
        });
    }

    // Waits for the end of a boot, of boot() or of a reboot.
    async up({ within = 120_000 } = {}) {
        await eventually(`${this.name} has booted`, async () => {
            if (!this.process.isRunning && this.process.result.code !== kRebooted)
                throw Object.assign(new Error(`${this.name} ended with ${JSON.stringify(this.process.result)}\n${this.process.tail()}`), { isFinal: true });
            if (!this.isOn) return false;
            const { stdout } = await this.run('systemctl is-system-running');
            if (stdout.trim() === 'degraded') {
                const failed = await this.run('systemctl status --no-pager --lines=20 $(systemctl --failed --no-legend --plain | cut -d " " -f 1)');
                throw Object.assign(new Error(`units failed in ${this.name}:\n${failed.stdout}`), { isFinal: true });
            }
            return stdout.trim() === 'running';
        }, { within, every: 150 });
    }

    // Of its own for each boot.
    bootId() { return this.read('/proc/sys/kernel/random/boot_id'); }

    async reboot() {
        const before = await this.bootId();
        await this.run('systemctl reboot');
        await eventually(`${this.name} reboots`, async () => this.isOn && await this.bootId() !== before, { within: 120_000 });
        await this.up();
    }

    // Shut down in an orderly way.
    async stop() {
        await this.run('systemctl poweroff');
        const hasEnded = await this.process.hasExited(100_000);
        this.#end();
        assert.ok(hasEnded, `${this.name} did not shut down within 100 s`);
        assert.deepEqual(this.process.result, { code: 0, signal: null }, this.process.tail());
    }

    // The plug is pulled. What was written stays, synced or not: the machine's kernel has it.
    async kill() {
        this.#end();
        await this.process.exited;
    }

    #end() {
        if (this.process?.isRunning) this.process.kill('SIGKILL');
        for (const cgroup of this.cgroups) endCgroup(cgroup);
    }

    // --- inside ---

    #leader() { return this.cgroups.flatMap((cgroup) => pidsIn(join(cgroup, 'payload', 'init.scope')))[0]; }

    // A shell's command, or words; as root or another user. {code, signal, stdout, stderr}
    async run(command, { user, ...options } = {}) {
        const leader = this.#leader();
        assert.ok(leader, `${this.name} is off`);
        return this.#runBy(['nsenter', `--target=${leader}`, '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--'], command, user, options);
    }

    #runBy([enter, ...words], command, user, options) {
        const asUser = user ? ['runuser', '-u', user, '--'] : [];
        const wish = typeof command === 'string' ? ['sh', '-c', command] : command;
        return run(enter, [...words, 'env', '-i', ...environment, ...asUser, ...wish], options);
    }

    // It has to succeed; what it says.
    async must(command, options) {
        const done = await this.run(command, options);
        assert.equal(done.code, 0, `${this.name}: ${command}: ${done.stdout}${done.stderr}`);
        return done.stdout.trim();
    }

    // Whether it is on or off.
    async #onDisk(command, options) {
        const done = this.isOn ? await this.run(command, options) : await this.#runBy(['chroot', this.disk], command, undefined, options);
        assert.equal(done.code, 0, `${this.name}: ${command.join(' ')}: ${done.stderr}`);
        return done.stdout;
    }

    read(path) { return this.#onDisk(['cat', '--', path]); }

    write(path, text, { mode = '644' } = {}) {
        return this.#onDisk(['sh', '-c', 'mkdir -p -- "$(dirname -- "$1")" && cat >"$1" && chmod "$2" -- "$1"', 'sh', path, mode], { input: text });
    }

    // A file or folder of the machine, into a folder of the VM; its path there.
    async copyIn(path, folder = '/root') {
        const from = resolve(path);
        const archive = execFileSync(
            'tar', ['-C', dirname(from), '--owner=0', '--group=0', '-cf', '-', '--', basename(from)],
            { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'] },
        );
        await this.#onDisk(['mkdir', '-p', '--', folder]);
        await this.#onDisk(['tar', '-C', folder, '-xf', '-'], { input: archive });
        return join(folder, basename(from));
    }

    // What a unit has said, in all boots.
    journal(unit) { return this.#onDisk(['journalctl', '--no-pager', '--output=cat', '--quiet', `--directory=/var/log/journal`, `--unit=${unit}`]); }

    // --- its clock ---

    // Lets units have another time than the machine's, by so many seconds, from now on. What has it
    // already sees its clock jump; other units are started anew for it.
    async shiftClock(seconds, ...units) {
        await this.write('/etc/synapsex-test-clock', `${seconds}\n`);
        const library = '/usr/lib/synapsex-test/shifted_clock.so';
        const drop = (unit) => `/etc/systemd/system/${unit.includes('.') ? unit : `${unit}.service`}.d/test-clock.conf`;
        for (const unit of units) {
            if ((await this.run(['test', '-e', drop(unit)])).code === 0) continue;
            const built = join(this.folder, basename(library));
            await this.network.command('cc', '-O2', '-shared', '-fPIC', '-o', built, join(kit, 'shifted_clock.c'));
            await this.copyIn(built, dirname(library));
            await this.write(drop(unit), `[Service]\nEnvironment=LD_PRELOAD=${library}\n`);
            await this.must(`systemctl daemon-reload && systemctl try-restart ${unit}`);
        }
    }

    // --- its cable ---

    // Nothing gets through, either way; the VM has a carrier still and is told nothing.
    cut() {
        this.isCut = true;
        return this.#plug();
    }

    // Every frame is late by `delay` ms each way, and a share of them, `loss`, is lost.
    async degrade({ delay = 0, loss = 0 }) {
        const { network, number } = this;
        await this.#dropLink();
        const [near, far, small] = [`near${number}`, `far${number}`, `slow${number}`];
        await network.ip('link', 'add', small, 'type', 'bridge');
        this.link = network.start(join(kit, 'slow_link.py'), [near, far, String(delay), String(loss)]);
        await eventually('the slow link is there', () => {
            if (!this.link.isRunning) throw Object.assign(new Error(this.link.tail()), { isFinal: true });
            return this.link.stdout.includes('ready');
        });
        await network.ip('link', 'set', near, 'master', small, 'up');
        await network.ip('link', 'set', far, 'master', 'switch', 'up');
        await network.ip('link', 'set', small, 'up');
        await this.#plug();
    }

    // As at first.
    async mend() {
        this.isCut = false;
        await this.#dropLink();
        await this.#plug();
    }

    async #dropLink() {
        if (!this.link) return;
        await this.link.killHard();
        this.link = undefined;
        await this.network.ip('link', 'delete', `slow${this.number}`);
    }

    #plug() {
        if (this.isCut) return this.network.ip('link', 'set', this.port, 'nomaster');
        return this.network.ip('link', 'set', this.port, 'master', this.link ? `slow${this.number}` : 'switch');
    }

    async remove() {
        this.isRemoved = true;
        this.#end();
        await this.process?.exited;
        removeNamespace(this.namespace);
        removeDisk(this.folder);
    }
}
