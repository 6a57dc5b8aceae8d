// Ten VMs with the package, as an operator sees them; and what the agent costs one of them.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { eventually, isLong, throughout } from '../support/processes.mjs';
import { Network, whyNoVms } from './kit/network.mjs';
import { packageFile, whyNoPackages, whyNoPrograms } from './kit/packages.mjs';

const whyNot = whyNoVms() || whyNoPackages() || whyNoPrograms();
const pssBytesMax = 15 * 1024 * 1024;

// Enrolled by the package alone.
async function enroll(vm, plane) {
    const { token } = await plane.enrollmentToken({ name: vm.name });
    await vm.write('/etc/synapsex/agent.toml', `url = "${plane.vmUrl}"\ntoken_file = "/etc/synapsex/enrollment-token"\n`);
    await vm.write('/etc/synapsex/enrollment-token', token, { mode: '600' });
    await vm.must(`apt-get -q -y install ${await vm.copyIn(packageFile('synapsex-agent'))}`, { within: 180_000 });
}

// PSS and RSS of worker and executor together, in bytes.
async function memoryOf(vm) {
    const text = await vm.must(`for unit in synapsex-agent synapsex-executor; do cat /proc/$(systemctl show -P MainPID $unit)/smaps_rollup; done`);
    const sum = (name) => [...text.matchAll(new RegExp(`^${name}: +(\\d+) kB$`, 'gm'))].map(([, kib]) => Number(kib) * 1024);
    const [pss, rss] = [sum('Pss'), sum('Rss')];
    assert.equal(pss.length, 2, text);
    return { pss: pss[0] + pss[1], rss: rss[0] + rss[1] };
}

const mib = (bytes) => (bytes / 1024 / 1024).toFixed(1);

test('synapsexctl lists ten VMs with what each of them is', { skip: whyNot }, async (t) => {
    const network = await Network.make(t);
    const plane = await network.controlPlane();
    const names = Array.from({ length: 10 }, (_, index) => `web-${index}`);
    const vms = await Promise.all(names.map((name, index) => network.boot(name, { suite: index % 2 ? 'trixie' : 'bookworm' })));
    const started = Date.now();
    await Promise.all(vms.map((vm) => enroll(vm, plane)));
    const cli = new Cli(plane);
    const login = await cli.login(plane.credentials);
    assert.equal(login.code, 0, login.stderr);
    const listed = await eventually('all ten are online with all that they are', async () => {
        const done = await cli.run(['--json', 'vms', 'list']);
        assert.equal(done.code, 0, done.stderr);
        const { items } = JSON.parse(done.stdout);
        return items.length === 10 && items.every((vm) => vm.state === 'online' && vm.memoryTotalBytes > 0 && vm.packages > 0) && items;
    }, { within: 120_000, every: 500 });
    t.diagnostic(`${((Date.now() - started) / 1000).toFixed(1)} s from ten bare VMs to ten in the list`);

    const rows = plane.database.rows('SELECT vm_id, boot_id FROM agent_registry_agents');
    for (const vm of vms) {
        const shown = listed.find(({ name }) => name === vm.name);
        const [kernel, threads, memoryKib, packages, os] = (await vm.must(`uname -r; nproc; awk '/^MemTotal:/ { print $2 }' /proc/meminfo; dpkg-query -W -f '\${db:Status-Status}\\n' | grep -cx installed; . /etc/os-release; echo "$PRETTY_NAME"`)).split('\n');
        assert.deepEqual(
            { kernel: shown.kernel, cpuThreads: shown.cpuThreads, memoryTotalBytes: shown.memoryTotalBytes, packages: shown.packages, os: shown.os },
            { kernel, cpuThreads: Number(threads), memoryTotalBytes: Number(memoryKib) * 1024, packages: Number(packages), os }, vm.name,
        );
        // Not on bookworm: README.md, what a VM here can not do.
        const boot = rows.find(({ vm_id: id }) => id === shown.id).boot_id;
        if (os.includes('trixie')) assert.equal(boot, (await vm.bootId()).trim(), `${vm.name}: its own boot`);
    }
    assert.equal(new Set(await Promise.all(vms.map((vm) => vm.bootId()))).size, 10);
    const table = await cli.run(['vms', 'list']);
    for (const name of names) assert.match(table.stdout, new RegExp(`^${name}\\s+online\\b`, 'm'));
    const { pss, rss } = await memoryOf(vms[0]);
    t.diagnostic(`one agent, both processes: PSS ${mib(pss)} MiB, RSS ${mib(rss)} MiB`);
});

test('worker and executor take at most 15 MB of a VM, at every look in ten minutes', { skip: whyNot || (!isLong && 'takes ten minutes: tests/run.sh --long fleet') }, async (t) => {
    const network = await Network.make(t);
    const [plane, vm] = await Promise.all([network.controlPlane(), network.boot('web-1')]);
    await enroll(vm, plane);
    await plane.online('web-1');
    const looks = [];
    await throughout(600_000, async () => {
        const look = await memoryOf(vm);
        looks.push(look);
        assert.ok(look.pss <= pssBytesMax, `look ${looks.length}: PSS ${mib(look.pss)} MiB`);
    }, { every: 3000 });
    assert.ok(looks.length > 100, `${looks.length} looks`);
    assert.equal((await plane.vm('web-1')).state, 'online');
    const sorted = looks.map(({ pss }) => pss).sort((a, b) => a - b);
    t.diagnostic(`${looks.length} looks: PSS from ${mib(sorted[0])} to ${mib(sorted.at(-1))} MiB, median ${mib(sorted[sorted.length >> 1])}; RSS at most ${mib(Math.max(...looks.map(({ rss }) => rss)))}`);
});
