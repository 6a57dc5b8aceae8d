// The agent's package on VMs that booted: what systemd makes of it, through all of its life.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';

import { eventually } from '../support/processes.mjs';
import { Network, whyNoVms } from './kit/network.mjs';
import { packageFile, whyNoPackages, whyNoPrograms } from './kit/packages.mjs';
import { filesWith, watchSecret } from './kit/secret_watch.mjs';

const needs = { skip: whyNoVms() || whyNoPackages() || whyNoPrograms() };
const config = '/etc/synapsex/agent.toml';
const data = '/var/lib/synapsex/agent';
const tokenFile = '/etc/synapsex/enrollment-token';
const units = ['synapsex-agent', 'synapsex-executor'];

const apt = (vm, words) => vm.must(`apt-get -q -y ${words}`, { within: 120_000 });
const says = (vm, unit, property) => vm.must(['systemctl', 'show', '--value', '--property', property, unit]);
const statusOf = async (pid, vm) => new Map((await vm.read(`/proc/${pid}/status`)).split('\n').map((line) => line.split(/:\s*/)));

for (const suite of ['bookworm', 'trixie'])
    test(`the agent's package, from the first installation to the purge; on ${suite}`, needs, async (t) => {
        const network = await Network.make(t);
        const [plane, vm] = await Promise.all([network.controlPlane(), network.boot('web-1', { suite })]);
        const deb = await vm.copyIn(packageFile('synapsex-agent'));
        const older = await vm.copyIn(packageFile('synapsex-agent', join(process.env.SYNAPSEX_DEBS, 'older')));
        const identity = () => Promise.all(['identity.json', 'agent.key'].map((file) => vm.read(`${data}/${file}`)));
        const pids = () => Promise.all(units.map((unit) => says(vm, unit, 'MainPID')));
        let known;  // identity.json and agent.key
        let id;  // of the VM

        // Online with both processes, as the same VM; what it was before counts no more.
        const isBack = async ({ since } = {}) => {
            await eventually('it is back', async () => {
                const status = JSON.parse((await vm.run('synapsex-agent status --json')).stdout);
                const { items } = await plane.must('GET', '/v1/vms');
                assert.equal(items.length, 1, JSON.stringify(items));
                return status.worker?.connected && status.executor?.privileged && String(status.executor.pid) === (await pids())[1]
                    && items[0].id === id && items[0].state === 'online' && (!since || items[0].lastSeenAt > since);
            }, { within: 90_000, every: 200 });
            assert.deepEqual(await identity(), known);
        };
        const now = () => new Date().toISOString();

        await t.test('told nothing, it is inactive and has not failed', async () => {
            await apt(vm, `install ${deb}`);
            for (const unit of units) {
                assert.equal(await says(vm, unit, 'ActiveState'), 'inactive', unit);
                assert.equal((await vm.run(`systemctl is-failed ${unit}`)).stdout.trim(), 'inactive');
            }
            assert.equal(await vm.must('systemctl is-system-running'), 'running');
            assert.match(await vm.must('journalctl -u synapsex-agent -o cat'), /Not enrolled yet\. Set url and token_file/);
            await apt(vm, 'purge synapsex-agent');
        });
        await t.test('with agent.toml beforehand, a plain apt-get install enrolls it over TLS, and the token is seen nowhere', async () => {
            const { token } = await plane.enrollmentToken({ name: 'web-1' });
            const secret = token.split('.')[1];
            await vm.write(config, `# by hand\nurl = "${plane.vmUrl}"\ntoken_file = "${tokenFile}"\n`);
            await vm.write(tokenFile, `${token}\n`, { mode: '600' });
            const watch = await watchSecret(vm, secret);
            await apt(vm, `install ${deb}`);
            ({ id } = await plane.online('web-1'));
            assert.deepEqual(await watch.end(), []);
            assert.deepEqual(await filesWith(vm, secret), []);
            known = await identity();
            assert.match(await vm.must('synapsex-agent status'), /^ {2}connected: true$/m);
        });
        await t.test('its processes have what they need and no more', async () => {
            const [worker, executor] = await pids();
            const [workerIs, executorIs] = [await statusOf(worker, vm), await statusOf(executor, vm)];
            assert.equal(await vm.must(`ps -o user:20= -p ${worker}`), 'synapsex-agent');
            assert.equal(await vm.must(`ps -o user:20= -p ${executor}`), 'root');
            for (const [name, is] of [['worker', workerIs], ['executor', executorIs]]) {
                assert.equal(is.get('NoNewPrivs'), '1', name);
                assert.equal(is.get('Seccomp'), '2', name);
            }
            assert.equal(workerIs.get('CapEff'), '0000000000000000');
            assert.equal(workerIs.get('CapBnd'), '0000000000000000');
            // CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SYS_PTRACE
            assert.equal(BigInt(`0x${executorIs.get('CapBnd')}`), (1n << 2n) | (1n << 5n) | (1n << 19n));
            const networkOf = (pid) => vm.must(`readlink /proc/${pid}/ns/net`);
            assert.equal(await networkOf(worker), await networkOf(1));
            assert.notEqual(await networkOf(executor), await networkOf(1), 'a network of its own, with nothing in it');
            assert.match(await vm.must(`nsenter -t ${executor} -n ip -brief link`), /^lo\s[^\n]*$/);
        });
        await t.test('nothing listens', async () => {
            assert.equal(await vm.must('ss --no-header --listening --numeric --tcp --udp --processes'), '');
        });
        await t.test('restarted, killed each on its own, rebooted: the same VM comes back', async () => {
            let since = now();
            await vm.must('systemctl restart synapsex-agent');
            await isBack({ since });
            for (const [index, unit] of units.entries()) {
                const before = await pids();
                since = now();
                await vm.must(`kill -KILL ${before[index]}`);
                await eventually(`${unit} is started anew`, async () => {
                    const now = await pids();
                    return now[index] !== '0' && now[index] !== before[index];
                }, { within: 30_000 });
                assert.equal(await says(vm, unit, 'NRestarts'), '1');
                // A heartbeat that is held is not disturbed by the executor's end.
                await isBack(unit === 'synapsex-agent' ? { since } : {});
            }
            const first = await vm.bootId();
            since = now();
            await vm.reboot();
            await isBack({ since });
            assert.notEqual(await vm.bootId(), first);
            for (const unit of units) assert.equal(await says(vm, unit, 'ActiveState'), 'active');
        });
        await t.test('back to the older package and up again, it keeps identity and spool', async () => {
            const spool = () => vm.must(`stat -c %i ${data}/spool.db`);
            const before = await spool();
            const text = await vm.read(config);
            for (const [file, version] of [[older, '0.0.1'], [deb, undefined]]) {
                const since = now();
                await apt(vm, `install --allow-downgrades ${file}`);
                const told = JSON.parse((await vm.run('synapsex-agent status --json')).stdout);
                if (version) assert.equal(told.version, version);
                else assert.notEqual(told.version, '0.0.1');
                await isBack({ since });
                await eventually('the control plane knows the version', async () => {
                    const { agentId } = JSON.parse(known[0]);
                    return (await plane.must('GET', `/v1/agents/${agentId}`)).version === told.version;
                }, { within: 60_000, every: 200 });
            }
            assert.equal(await spool(), before, 'the same file');
            assert.equal(await vm.read(config), text, 'and its settings');
        });
        await t.test('removed it keeps its identity, and is the same VM when it is installed again', async () => {
            await apt(vm, 'remove synapsex-agent');
            assert.deepEqual(await identity(), known);
            assert.equal(await vm.must('systemctl is-system-running'), 'running');
            const since = now();
            await apt(vm, `install ${deb}`);
            await isBack({ since });
        });
        await t.test('purged it leaves nothing but its locked user', async () => {
            await apt(vm, 'purge synapsex-agent');
            const left = await vm.must(`find / -xdev \\( -path /proc -o -path /sys -o -path /var/log -o -path /root -o -path /var/lib/dpkg -o -path /var/cache \\) -prune -o -name '*synapsex*' -print; ls -A /run/synapsex 2>/dev/null || true`);
            assert.equal(left.replaceAll(/^\/(usr\/lib\/synapsex-test|etc\/synapsex-test-clock).*$/gm, ''), '');
            assert.equal(await vm.must('dpkg -l "synapsex*" 2>/dev/null | grep -c "^[ih]i" || true'), '0');
            assert.equal((await vm.run('pgrep -f [s]ynapsex-')).stdout, '');
            assert.match(await vm.must('getent shadow synapsex-agent'), /^synapsex-agent:!/);
            assert.match(await vm.must('getent passwd synapsex-agent'), /nologin$/);
        });
    });

test('the wrong settings make the unit fail with a sentence, and mending them is enough', needs, async (t) => {
    const network = await Network.make(t);
    const [plane, vm] = await Promise.all([network.controlPlane(), network.boot('web-1')]);
    await vm.write(config, `url = "http://control.example:8080"\ntoken_file = "${tokenFile}"\n`);
    await vm.write(tokenFile, (await plane.enrollmentToken({ name: 'web-1' })).token, { mode: '600' });
    await apt(vm, `install ${await vm.copyIn(packageFile('synapsex-agent'))}`);
    await eventually('it has failed', async () => await says(vm, 'synapsex-agent', 'ActiveState') === 'failed');
    assert.equal(await says(vm, 'synapsex-agent', 'ExecMainStatus'), '78');
    assert.match(await vm.must('journalctl -u synapsex-agent -o cat'), /http:\/\/ is allowed only to this machine itself; use https:\/\/ for 'control\.example'/);
    await vm.write(config, `url = "${plane.vmUrl}"\ntoken_file = "${tokenFile}"\n`);
    await vm.must('systemctl restart synapsex-agent');
    await plane.online('web-1');
});
