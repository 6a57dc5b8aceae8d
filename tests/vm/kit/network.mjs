// A network that only its VMs and the test are on: a switch in a namespace of its own, where the
// test also runs what stands outside the VMs. Nothing leads from there to the machine's network.
//
//     test('…', { skip: whyNoVms() }, async (t) => {
//         const network = await Network.make(t);
//         const vm = await network.boot('web-1');
//         await vm.must('systemctl is-active dbus');
//
// Addresses are those of a range for documentation (RFC 5737), 198.51.100.0/24.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Program, run } from '../../support/processes.mjs';
import { VmControlPlane } from './control_plane.mjs';
import { Vm } from './vm.mjs';
import { debianRoot } from './roots.mjs';
import { beginRun, namespace, removeNamespace } from './runs.mjs';

export { whyNoVms } from './roots.mjs';

const kit = dirname(fileURLToPath(import.meta.url));
let made = 0;

export class Network {
    // Gone, with its VMs, when the test ends; `t` is its context.
    static async make(t) {
        beginRun();
        const network = new Network();
        t.after(() => network.remove());
        await network.command('ip', 'netns', 'add', network.namespace);
        await network.ip('link', 'set', 'lo', 'up');
        await network.ip('link', 'add', 'switch', 'type', 'bridge');
        await network.ip('address', 'add', `${network.address}/24`, 'dev', 'switch');
        await network.ip('link', 'set', 'switch', 'up');
        // So that who wants to leave is told at once that nothing leads there.
        await network.run('sh', ['-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
        return network;
    }

    constructor() {
        this.name = `net${++made}`;
        this.namespace = namespace(this.name);
        this.address = '198.51.100.1';  // of the test's side
        this.vms = [];
        this.hosts = new Map();
        this.gates = [];
    }

    // --- VMs ---

    // Its disk is there and it is on the network, but off.
    async add(name, { suite = 'bookworm' } = {}) {
        assert.match(name, /^[a-z][a-z0-9-]{0,14}$/, 'the name of a VM is a short host name');
        const root = await debianRoot(suite);
        const vm = new Vm(this, { name, number: this.vms.length + 1 });
        this.vms.push(vm);
        await vm.make(root);
        await this.call(name, vm.address);
        return vm;
    }

    async boot(name, options) {
        const vm = await this.add(name, options);
        await vm.boot();
        return vm;
    }

    // Lets all VMs, and those to come, know the address by this name.
    async call(host, address = this.address) {
        this.hosts.set(host, address);
        for (const vm of this.vms) await vm.writeHosts();
    }

    // --- the test's side ---

    // A program on the test's side; ends with the test.
    start(command, parameters = [], options = {}) {
        return new Program('nsenter', [`--net=/run/netns/${this.namespace}`, '--', command, ...parameters], { name: command, ...options });
    }
    run(command, parameters = [], options = {}) {
        return run('nsenter', [`--net=/run/netns/${this.namespace}`, '--', command, ...parameters], options);
    }

    // A control plane of our own that VMs reach at its `vmUrl`; the test and the CLI, as ever, at its
    // `url`. Ends with the test.
    controlPlane(options) { return VmControlPlane.start(this, options); }

    // A port on the machine's 127.0.0.1 that leads to one in here, for the test's own connections.
    async gate(port, address = this.address) {
        const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const child = fork(join(kit, 'gate.mjs'), [address, String(port)], {
            execPath: 'setpriv',
            execArgv: ['--pdeathsig', 'KILL', '--', 'nsenter', `--net=/run/netns/${this.namespace}`, '--', process.execPath],
        });
        this.gates.push(child);
        child.send('take', server);
        await Promise.race([
            once(child, 'message'),
            once(child, 'exit').then(([code]) => { throw new Error(`the gate to ${address}:${port} ended with ${code}`); }),
        ]);
        const here = server.address().port;
        server.close();
        child.unref();
        return here;
    }

    // --- below ---

    async command(...words) {
        const [command, ...parameters] = words;
        const done = await run(command, parameters);
        assert.equal(done.code, 0, `${words.join(' ')}: ${done.stderr}`);
        return done.stdout;
    }
    ip(...words) { return this.command('ip', '-n', this.namespace, ...words); }

    async remove() {
        await Promise.all(this.vms.map((vm) => vm.remove()));
        for (const child of this.gates) child.kill('SIGKILL');
        removeNamespace(this.namespace);
    }
}
