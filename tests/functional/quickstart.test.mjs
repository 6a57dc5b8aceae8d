// The README's first command, on a copy of this checkout in a folder whose name has spaces: from
// sources to this machine as a living VM. It builds the release; tests/run.sh asks for it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { after } from 'node:test';

import { eventually, freePort, isAlive, root, run, temporaryFolder } from '../support/processes.mjs';

const skip = process.env.SYNAPSEX_QUICKSTART !== '1' && 'builds the release: tests/run.sh quickstart';
const checkout = skip ? '' : join(temporaryFolder(), 'a fresh clone');
const quickstart = (...parameters) => run(
    join(checkout, 'installers', 'quickstart.sh'), parameters, { cwd: checkout, within: 1_500_000 },
);
const ok = (done) => {
    assert.equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
    return done.stdout;
};

// What a commit of the working tree would have, and nothing that was built.
function copyCheckout() {
    mkdirSync(checkout);
    const names = execFileSync('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], { maxBuffer: 2 ** 26 })
        .toString().split('\0').filter((name) => name && existsSync(join(root, name)));
    const archive = execFileSync('tar', ['-C', root, '-c', '--null', '-T', '-'], { input: names.join('\0'), maxBuffer: 2 ** 28 });
    execFileSync('tar', ['-C', checkout, '-x'], { input: archive });
}

test('the quickstart, from sources to a living VM and away again', { skip }, async (t) => {
    copyCheckout();
    after(async () => { if (existsSync(join(checkout, '.quickstart'))) await quickstart('--clean', '--yes'); });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    let vm;
    let pids;

    const tool = (...parameters) => run(join(checkout, '.quickstart', 'synapsexctl'), parameters, { within: 60_000 });
    const vms = async () => JSON.parse(ok(await tool('vms', 'list', '--json')));
    const onlyVm = async () => {
        const list = await vms();
        const items = list.items ?? list;
        assert.equal(items.length, 1);
        return items[0];
    };
    const status = async () => (await quickstart('--status')).stdout;
    const pidsOf = (text) => [...text.matchAll(/\(pid (\d+)\)/g)].map((match) => Number(match[1]));

    await t.test('a port in use ends it with one clear sentence', async () => {
        // Only what is there is needed to see that; the build comes before, and is not repeated.
        const server = createServer();
        await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
        const start = Date.now();
        const done = await quickstart('--yes', '--no-install', '--port', String(server.address().port));
        server.close();
        t.diagnostic(`release build with what ccache knew: ${Math.round((Date.now() - start) / 1000)} s`);
        assert.equal(done.code, 1, `${done.stdout}\n${done.stderr}`);
        assert.match(done.stderr.trim(), /^quickstart: port \d+ is in use by another program; choose one with --port N\.$/);
    });

    await t.test('it ends with this machine online and what to try next', async () => {
        const start = Date.now();
        const said = ok(await quickstart('--yes', '--no-install', '--port', String(port)));
        t.diagnostic(`from built to online: ${Math.round((Date.now() - start) / 1000)} s`);
        assert.ok(said.includes(`${url}/docs`), said);
        assert.match(said, /Password +\S{12,}/);
        assert.match(said, /synapsexctl'? vms watch vm_/);
        vm = await onlyVm();
        assert.ok(said.includes(vm.id));
        assert.equal(vm.state, 'online');
        assert.equal(vm.kernel, execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim());
        assert.ok(vm.latest, 'with its first telemetry');
        pids = pidsOf(await status());
        assert.equal(pids.length, 2);
    });

    await t.test('what it keeps is private', () => {
        for (const name of ['owner.json', 'credentials.json'])
            assert.equal(statSync(join(checkout, '.quickstart', name)).mode & 0o777, 0o600, name);
        assert.equal(statSync(join(checkout, '.quickstart')).mode & 0o077, 0);
    });

    await t.test('a second run is quick, changes nothing and keeps the VM', async () => {
        const start = Date.now();
        const said = ok(await quickstart('--yes', '--no-install'));
        const seconds = (Date.now() - start) / 1000;
        t.diagnostic(`second run: ${seconds.toFixed(1)} s`);
        assert.ok(seconds < 60, `${seconds} s`);
        assert.doesNotMatch(said, /Password/);
        assert.deepEqual(pidsOf(await status()), pids);
        assert.equal((await onlyVm()).id, vm.id);
    });

    await t.test('after --stop nothing runs, and the next run goes on with the same VM', async () => {
        ok(await quickstart('--stop'));
        for (const pid of pids) assert.ok(!isAlive(pid));
        ok(await quickstart('--yes', '--no-install'));
        await eventually('it is online again', async () => (await onlyVm()).state === 'online', { within: 60_000, every: 500 });
        assert.equal((await onlyVm()).id, vm.id);
        pids = pidsOf(await status());
    });

    await t.test('--clean leaves the build and nothing else', async () => {
        ok(await quickstart('--clean', '--yes'));
        for (const pid of pids) assert.ok(!isAlive(pid));
        assert.ok(!existsSync(join(checkout, '.quickstart')));
        assert.ok(existsSync(join(checkout, 'build', 'release', 'bin', 'synapsex-controlplane')));
    });
});
