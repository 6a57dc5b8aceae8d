// The first day: init, serve, sign in, make a token, start the agent, and see this very machine.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { Agent } from '../support/agent.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { eventually } from '../support/processes.mjs';

const output = (command, ...parameters) => execFileSync(command, parameters, { encoding: 'utf8' }).trim();
const proc = (path) => readFileSync(`/proc/${path}`, 'utf8');

function installedPackages() {
    try {
        return output('dpkg-query', '-W', '-f', '${db:Status-Status} ${Package}\n')
            .split('\n').filter((line) => line.startsWith('installed ')).length;
    } catch {
        return undefined;  // no Debian
    }
}

test('from nothing to this machine as a living VM', async (t) => {
    const controlPlane = await ControlPlane.start();

    await t.test('init prints the password once and keeps secrets to their owner', async () => {
        assert.match(controlPlane.initOutput, /main-street/);
        assert.ok(controlPlane.initOutput.includes(controlPlane.credentials.password));
        assert.equal(controlPlane.credentials.email, 'owner@example.com');
        const modeOf = (path) => (statSync(path).mode & 0o777).toString(8);
        assert.equal(modeOf(join(controlPlane.folder, 'owner.json')), '600');
        assert.equal(modeOf(controlPlane.dataDir), '700');
        assert.equal(modeOf(join(controlPlane.dataDir, 'keys')), '700');
        for (const name of ['access-tokens.pem', 'root.key'])
            assert.equal(modeOf(join(controlPlane.dataDir, 'keys', name)), '600', name);
    });

    await t.test('keys are listed by their ids, as they are published, and without a secret', async () => {
        const done = await controlPlane.run(['keys', ...controlPlane.flags]);
        assert.equal(done.code, 0, done.stderr);
        const [root, authority, signing, ...more] = done.stdout.trim().split('\n').map((line) => line.split('\t'));
        assert.deepEqual(more, []);
        assert.deepEqual(root.slice(0, 2), ['root', 'HKDF-SHA256']);
        assert.equal(root[2].length, 12);
        assert.ok(!readFileSync(join(controlPlane.dataDir, 'keys', 'root.key')).toString('base64url').includes(root[2]));
        assert.deepEqual(authority.slice(0, 2), ['authority', 'ECDSA P-256']);
        assert.match(authority[2], /^[\w-]{43}$/);
        const [published] = (await controlPlane.get('/v1/auth/jwks.json')).json.keys;
        assert.deepEqual(signing, ['access-tokens', 'Ed25519', published.kid, published.x]);
    });

    await t.test('a second init changes nothing and says so', async () => {
        await controlPlane.stop();
        const again = await controlPlane.run(['init', ...controlPlane.flags, '--email', 'other@example.com']);
        assert.equal(again.code, 0, again.stderr);
        assert.match(again.stdout, /Initialised before/);
        assert.doesNotMatch(again.stdout, /password/);
        await controlPlane.serve();
        const intruder = await controlPlane.post('/v1/auth/login', { email: 'other@example.com', password: 'whatever it was' });
        assert.equal(intruder.status, 401);
        await controlPlane.signIn(controlPlane.credentials);
    });

    await t.test('--migrate-only ends when the database is as it should be', async () => {
        await controlPlane.stop();
        const done = await controlPlane.run(['serve', ...controlPlane.flags, '--migrate-only']);
        assert.equal(done.code, 0, done.stderr);
        assert.match(done.stdout, /has all that this release needs/);
        await controlPlane.serve();
    });

    const agent = await Agent.start(controlPlane, { name: 'this-machine' });
    const { vm } = agent;

    await t.test('the enrollment token is gone from the disk', async () => {
        assert.ok(!existsSync(agent.tokenFile) || readFileSync(agent.tokenFile, 'utf8').trim() === '');
    });

    await t.test('it reports what the machine is', async () => {
        const full = await eventually('all sections are there', async () => {
            const found = await controlPlane.must('GET', `/v1/vms/${vm.id}`);
            return found.reported.sections.length === 7 && found;
        }, { within: 60_000 });
        const { os, cpu, memory, filesystems, network } = full.reported;
        assert.equal(full.name, 'this-machine');
        assert.equal(os.kernelRelease, output('uname', '-r'));
        assert.equal(os.architecture, output('uname', '-m'));
        assert.equal(os.hostname, hostname());
        const release = Object.fromEntries(readFileSync('/etc/os-release', 'utf8').split('\n')
            .map((line) => /^(\w+)="?(.*?)"?$/.exec(line)).filter(Boolean).map((match) => match.slice(1)));
        assert.equal(os.id, release.ID);
        assert.equal(os.prettyName, release.PRETTY_NAME);
        assert.equal(full.os, release.PRETTY_NAME);
        const bootedAt = Number(/^btime (\d+)$/m.exec(proc('stat'))[1]) * 1000;
        assert.ok(Math.abs(Date.parse(os.bootedAt) - bootedAt) < 5000, `${os.bootedAt} against ${new Date(bootedAt).toISOString()}`);

        assert.equal(cpu.threads, proc('cpuinfo').match(/^processor\s*:/gm).length);
        assert.equal(full.cpuThreads, cpu.threads);
        const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(proc('meminfo'))[1]);
        assert.equal(memory.totalBytes, kib('MemTotal') * 1024);
        assert.equal(memory.swapTotalBytes, kib('SwapTotal') * 1024);
        const rootSize = Number(output('df', '--output=size', '-B1', '/').split('\n').pop());
        const rootFilesystem = filesystems.find((filesystem) => filesystem.mountPoint === '/');
        if (rootFilesystem) assert.equal(rootFilesystem.sizeBytes, rootSize);
        const names = proc('net/dev').split('\n').slice(2).map((line) => line.split(':')[0].trim()).filter(Boolean);
        for (const { name } of network) assert.ok(names.includes(name), `${name} is in /proc/net/dev`);
    });

    await t.test('it reports every package', async (step) => {
        const expected = installedPackages();
        if (expected === undefined) return step.skip('this machine has no dpkg');
        const names = [];
        let cursor = '';
        do {
            const page = await controlPlane.must('GET', `/v1/vms/${vm.id}/packages?limit=100${cursor && `&cursor=${cursor}`}`);
            names.push(...page.items.map((found) => `${found.name}:${found.architecture}`));
            cursor = page.nextCursor;
        } while (cursor);
        assert.equal(names.length, expected);
        assert.equal(new Set(names).size, names.length, 'each once');
        const base = await controlPlane.must('GET', `/v1/vms/${vm.id}/packages?prefix=base-files`);
        assert.equal(base.items[0].version, output('dpkg-query', '-W', '-f', '${Version}', 'base-files'));
        assert.equal((await controlPlane.must('GET', `/v1/vms/${vm.id}`)).packages, expected);
    });

    await t.test('its telemetry is that of /proc', async () => {
        await controlPlane.must('POST', `/v1/vms/${vm.id}/watch`, { seconds: 60 });
        const latest = await eventually('telemetry has come', async () =>
            (await controlPlane.must('GET', `/v1/vms/${vm.id}`)).latest, { within: 60_000, every: 250 });
        assert.equal(Date.parse(latest.at) % 15_000, 0, 'a slot of 15 s');
        assert.ok(Date.now() - Date.parse(latest.at) < 60_000);
        const total = Number(/^MemTotal:\s+(\d+)/m.exec(proc('meminfo'))[1]) * 1024;
        assert.equal(latest.memoryTotalBytes, total);
        assert.ok(latest.memoryAvailableBytes > 0 && latest.memoryAvailableBytes < total);
        const uptime = Number(proc('uptime').split(' ')[0]);
        assert.ok(Math.abs(latest.uptimeSeconds - uptime) < 60, `${latest.uptimeSeconds} against ${uptime}`);
        const load = proc('loadavg').split(' ').map(Number);
        assert.ok(Math.abs(latest.load15 - load[2]) < Math.max(2, load[2] / 2), `${latest.load15} against ${load[2]}`);
        assert.ok(latest.cpuBusyPercent >= 0 && latest.cpuBusyPercent <= 100);
        assert.ok(latest.processes > 1);
    });

    await t.test('the agent\'s record says who it is and what it can do', async () => {
        const record = await controlPlane.must('GET', `/v1/agents/${vm.agentId}`);
        assert.equal(record.vmId, vm.id);
        assert.equal(record.status, 'online');
        for (const capability of [1, 2, 3]) assert.ok(record.capabilities.includes(capability));
        const status = await agent.status();
        assert.equal(status.code, 0);
        assert.equal(status.identity.agentId, vm.agentId);
        assert.equal(status.worker.connected, true);
        assert.equal(status.executor.workerPid, agent.pidOf('worker'));
    });

    await t.test('stopped, it says goodbye and is shown offline at once', async () => {
        await agent.stop();
        await eventually('the VM is offline', async () => (await agent.find()).state === 'offline');
    });

    await controlPlane.stop();
});
