// installers/install-agent.sh on VMs: one line from a bare Debian to a VM that is online, again and
// again, and what it says where that cannot be.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';

import { Authority } from '../support/certificates.mjs';
import { Cli } from '../support/command_line.mjs';
import { eventually, root, temporaryFolder } from '../support/processes.mjs';
import { Network, whyNoVms } from './kit/network.mjs';
import { packageFile, whyNoPackages, whyNoPrograms } from './kit/packages.mjs';
import { filesWith, watchSecret } from './kit/secret_watch.mjs';

const needs = { skip: whyNoVms() || whyNoPackages() || whyNoPrograms() };
const installer = join(root, 'installers', 'install-agent.sh');
const config = '/etc/synapsex/agent.toml';
const within = 150_000;

// Booted, with the installer and the package in /root.
async function bare(network, name, options) {
    const vm = await network.boot(name, options);
    await vm.copyIn(installer);
    vm.deb = await vm.copyIn(packageFile('synapsex-agent'));
    vm.install = (words, rest = {}) => vm.run(`sh /root/install-agent.sh ${words}`, { within, ...rest });
    return vm;
}
const giveToken = async (vm, plane, { file = '/root/token', mode = '600' } = {}) => {
    const { token } = await plane.enrollmentToken({ name: vm.name });
    await vm.write(file, `${token}\n`, { mode });
    return token;
};
const ends = (done, code, said) => {
    assert.equal(done.code, code, `${done.stdout}${done.stderr}`);
    if (said) assert.match(done.stdout + done.stderr, said);
};
// Everything on its disk; systemd's journal writes by itself.
const listing = (vm, ...without) => vm.must(['find', '/', '/tmp', '-xdev',
    ...['/proc', '/sys', '/dev', '/run', '/var/log/journal', ...without].flatMap((path) => ['-path', path, '-prune', '-o']),
    '-printf', '%p %y %m %u %s %T@ %l\n']);
function assertSame(is, was) {
    const [now, before] = [is, was].map((text) => new Set(text.split('\n')));
    assert.deepEqual([...now].filter((line) => !before.has(line)), [], 'new or changed');
    assert.deepEqual([...before].filter((line) => !now.has(line)), [], 'gone or changed');
}

for (const suite of ['bookworm', 'trixie'])
    test(`from nothing to online, again, changed, removed and back, purged; on ${suite}`, needs, async (t) => {
        const network = await Network.make(t);
        const [plane, vm] = await Promise.all([network.controlPlane(), bare(network, 'web-1', { suite })]);
        const token = await giveToken(vm, plane);
        const line = `--url ${plane.vmUrl} --token-file /root/token --deb ${vm.deb}`;
        const untouched = await listing(vm);

        await t.test('a dry run says it all and changes nothing', async () => {
            const done = await vm.install(`${line} --proxy http://proxy.example:3128 --dry-run`);
            ends(done, 0);
            for (const said of [/would install synapsex-agent \S+ from \/root\//, /would write the proxy into \/etc\/synapsex\/agent\.env/, /would set in .*agent\.toml: url = "https:\/\/control\.example:8443"/, /would move the token from \/root\/token to /, /would restart/])
                assert.match(done.stdout, said);
            assert.doesNotMatch(done.stdout, new RegExp(token));
            assertSame(await listing(vm), untouched);
        });

        let first;
        await t.test('the first run enrolls it, and nobody sees the token', async () => {
            const watch = await watchSecret(vm, token.split('.')[1]);
            const started = Date.now();
            const done = await vm.install(line);
            t.diagnostic(`${Date.now() - started} ms for the first run`);
            ends(done, 0, /^This machine is online as vm_\w+, at https:\/\/control\.example:8443\.$/m);
            assert.deepEqual(await watch.end(), []);
            assert.doesNotMatch(done.stdout + done.stderr, new RegExp(token));
            first = await plane.online('web-1');
            assert.ok(done.stdout.includes(first.id));
            assert.notEqual((await vm.run('ls /root/token')).code, 0, 'its file is erased');
            assert.deepEqual(await filesWith(vm, token.split('.')[1]), []);
        });
        await t.test('its connection is tested as the service has it, whatever proxy a shell has', async () => {
            const done = await vm.run('https_proxy=http://127.0.0.1:9 synapsex-agent test-connection --proxy environment --json');
            ends(done, 0);
            assert.doesNotMatch(done.stdout, /"step":"proxy"/);
        });
        await t.test('the second changes nothing, and says so', async () => {
            const now = () => listing(vm, '/var/lib/synapsex/agent');
            const before = await now();
            const pid = await vm.must('systemctl show -P MainPID synapsex-agent');
            const done = await vm.install(line);
            ends(done, 0, /^Nothing had to be changed\.\nThis machine is online as vm_/);
            assertSame(await now(), before);
            assert.equal(await vm.must('systemctl show -P MainPID synapsex-agent'), pid);
        });
        await t.test('what is changed is applied, what a person wrote stays, and another token is not used', async () => {
            const text = (await vm.read(config)).replace(/^url = .*/m, '  url="https://control.example:8443"   # ours, ask Ada');
            await vm.write(config, `# Mind the gap.\n${text}log_level = "debug"  # until Friday\n`);
            await giveToken(vm, plane);
            await network.call('other.example');
            const done = await vm.install(`--url https://other.example:8443 --token-file /root/token --name web-one --dry-run`);
            ends(done, 0, /would set in \/etc\/synapsex\/agent\.toml:   url="https:\/\/other\.example:8443"   # ours, ask Ada, name = "web-one"/);
            const changed = await vm.install('--url https://control.example:8443/ --token-file /root/token --name web-one');
            ends(changed, 0, /the token is not used and stays valid/);
            assert.match(changed.stdout, /^The fleet knows this machine by the name with which it enrolled; .*: synapsexctl agents rename agt_\w+ 'web-one'$/m);
            const is = await vm.read(config);
            assert.match(is, /^# Mind the gap\.\n/);
            assert.match(is, /^ {2}url="https:\/\/control\.example:8443\/" {3}# ours, ask Ada$/m);
            assert.match(is, /^log_level = "debug" {2}# until Friday$/m);
            assert.match(is, /^#name = "web-1"\nname = "web-one"$/m);
            assert.match(await vm.read('/root/token'), /^sxe_/);
            assert.equal((await plane.must('GET', '/v1/vms')).items.length, 1);
            ends(await vm.install('--url https://control.example:8443/ --name web-one'), 0, /Nothing had to be changed/);
        });
        await t.test('removed and installed again, it is the same VM', async () => {
            ends(await vm.install('--uninstall --dry-run'), 0, /^would remove synapsex-agent; its settings and its identity stay$/m);
            assert.equal(await vm.must('systemctl is-active synapsex-agent'), 'active');
            ends(await vm.install('--uninstall'), 0, /^remove synapsex-agent; /);
            assert.notEqual((await vm.run('systemctl cat synapsex-agent')).code, 0);
            ends(await vm.install('--uninstall'), 0, /is removed already/);
            ends(await vm.install(`--deb ${vm.deb}`), 0, new RegExp(`online as ${first.id},`));
            await plane.online('web-1');
        });
        await t.test('purged, nothing is left but its user', async () => {
            ends(await vm.install('--uninstall --purge'), 0);
            const left = await vm.run('ls -d /etc/synapsex /var/lib/synapsex /run/synapsex /etc/systemd/system/synapsex* /etc/systemd/system/*.wants/synapsex* /usr/*/synapsex*');
            assert.equal(left.stdout, '');
            assert.match(await vm.must('getent passwd synapsex-agent'), /nologin$/);
            ends(await vm.install('--uninstall --purge'), 0, /is not installed/);
        });
    });

// The control plane and the package are where only the proxy can go, under names that no VM knows.
test('through an HTTP proxy alone, by a certificate of a company\'s own authority', needs, async (t) => {
    const network = await Network.make(t);
    const authority = new Authority('Example Company');
    const certificate = authority.issue({ names: 'DNS:control.example' });
    const [plane, vm] = await Promise.all([network.controlPlane({ isHidden: true, certificate }), network.boot('web-1')]);
    const folder = process.env.SYNAPSEX_DEBS;
    const deb = packageFile('synapsex-agent');
    network.start('python3', ['-m', 'http.server', '--bind', '127.0.0.1', '--directory', folder, '8000']);
    const proxy = network.start(process.execPath, [
        join(root, 'tests', 'vm', 'kit', 'http_proxy.mjs'), network.address, '3128',
        'control.example:8443=127.0.0.1:8443', 'packages.example=127.0.0.1:8000',
    ], { env: { USER_NAME: 'web', PASSWORD: 'opensesame' } });
    await eventually('the proxy listens', () => proxy.stdout.includes('listens'));
    await vm.copyIn(installer);
    vm.install = (words) => vm.run(`sh /root/install-agent.sh ${words}`, { within });
    const token = await giveToken(vm, plane);
    assert.equal(token.split('.').length, 2, 'it names no authority');
    await vm.write('/root/ca.crt', readFileSync(authority.file, 'utf8'));
    for (const place of ['control.example:8443', 'packages.example'])
        assert.notEqual((await vm.run(`timeout 3 bash -c 'exec 3<>/dev/tcp/${place.split(':')[0]}/${place.split(':')[1] ?? 80}'`)).code, 0, `${place} is reached without the proxy`);

    const sum = execFileSync('sha256sum', [deb], { encoding: 'utf8' }).slice(0, 64);
    const by = '--proxy http://web:opensesame@198.51.100.1:3128';
    const line = `--url ${plane.vmUrl} --token-file /root/token --ca-file /root/ca.crt --deb-url http://packages.example/${basename(deb)}`;

    const wrong = await vm.install(`${line} --deb-sha256 ${'0'.repeat(64)} ${by}`);
    ends(wrong, 4, new RegExp(`its SHA-256 is ${sum}, not 0{64}\\. Nothing was installed\\.`));
    assert.notEqual((await vm.run('dpkg -s synapsex-agent')).code, 0);

    const done = await vm.install(`${line} --deb-sha256 ${sum} ${by}`);
    ends(done, 0, /This machine is online as/);
    await plane.online('web-1');
    assert.match(proxy.stdout, /^GET http:\/\/packages\.example\/synapsex-agent_/m);
    assert.match(proxy.stdout, /^CONNECT control\.example:8443$/m);
    assert.equal(await vm.must('stat -c "%U %a" /etc/synapsex/agent.env'), 'root 600');
    assert.doesNotMatch(await vm.must('systemctl show synapsex-agent synapsex-executor'), /opensesame/);
    assert.equal(await vm.read('/etc/synapsex/agent-ca.crt'), readFileSync(authority.file, 'utf8'));
    assert.match(await vm.read(config), /^ca_file = "\/etc\/synapsex\/agent-ca\.crt"$/m);
    assert.match(await vm.read(config), /^proxy = "environment"$/m);
    ends(await vm.install(`${line} --deb-sha256 ${sum} ${by}`), 0, /^Nothing had to be changed/m);
    const tested = await vm.run('https_proxy=http://127.0.0.1:9 no_proxy="*" synapsex-agent test-connection --json');
    ends(tested, 0, /by https_proxy: 198\.51\.100\.1:3128"/);
    assert.doesNotMatch(tested.stdout + tested.stderr, /opensesame/);
    // The password that is there stays.
    ends(await vm.install('--proxy http://198.51.100.1:3128'), 0, /^Nothing had to be changed/m);
    ends(await vm.install('--proxy http://198.51.100.2:3128 --dry-run'), 0, /^would write the proxy into/m);

    await t.test('a proxy that is not wanted any more leaves nothing', async () => {
        const dry = await vm.install('--proxy none --dry-run');
        ends(dry, 0, /would delete \/etc\/synapsex\/agent\.env\nwould set in \/etc\/synapsex\/agent\.toml: proxy = "never"\nwould restart/);
        await vm.must('printf "no_proxy=.example\\n" >>/etc/synapsex/agent.env');
        ends(await vm.install('--proxy none --dry-run'), 0, /would write the proxy into/);
        ends(await vm.install('--uninstall --purge'), 0);
        assert.notEqual((await vm.run('ls /etc/synapsex')).code, 0);
    });
});

// In a program's place: kills all of the installer, which has come to it, as a power cut would.
const cuttingProgram = (path) => `#!/bin/sh
mv ${path}.real ${path}
systemctl kill --signal=KILL cut.service
sleep 60
`;
// Runs it in bash, which kills it right after the first change that it made.
const afterOneChange = `
trap 'case $BASH_COMMAND in \\"\\$@\\"*) [[ \${FUNCNAME[0]} != change ]] || is_changing=yes ;;
      *) [[ \${is_changing:-} != yes || \${FUNCNAME[0]} == put_* || \${FUNCNAME[0]} == logged || \${FUNCNAME[0]} == quietly || \${FUNCNAME[0]} == apt_get || \${FUNCNAME[0]} == install_with_apt ]] || kill -KILL $$ ;; esac' DEBUG
set -T
. /root/install-agent.sh "$@"
`;

test('cut off in the middle, by anything, it goes on when it is run again', needs, async (t) => {
    const network = await Network.make(t);
    const [plane, vm] = await Promise.all([network.controlPlane(), bare(network, 'web-1')]);
    const token = await giveToken(vm, plane);
    const line = `--url ${plane.vmUrl} --token-file /root/token --name web-1 --deb ${vm.deb}`;

    await vm.must('mv /usr/sbin/adduser /usr/sbin/adduser.real');
    await vm.write('/usr/sbin/adduser', cuttingProgram('/usr/sbin/adduser'), { mode: '755' });
    await vm.must(`systemd-run --quiet --unit=cut sh /root/install-agent.sh ${line}`);
    await eventually('it is cut off in the middle of dpkg', async () => (await vm.run('systemctl is-failed cut')).stdout.trim() === 'failed', { within: 60_000 });
    assert.equal(await vm.must("dpkg-query -W -f '${db:Status-Status}' synapsex-agent"), 'half-configured');

    const steps = [];
    await vm.write('/root/cut.sh', afterOneChange);
    for (;;) {
        const done = await vm.run(`exec bash /root/cut.sh ${line}`, { within });
        const last = done.stdout.trim().split('\n').at(-1);
        if (done.code === 0) {
            assert.match(last, /This machine is online/);
            break;
        }
        assert.equal(done.signal ?? done.code, done.signal ? 'SIGKILL' : 137, done.stdout + done.stderr);
        steps.push(last);
        assert.ok(steps.length < 12, `it does not get on:\n${steps.join('\n')}`);
    }
    t.diagnostic(steps.join('; '));
    for (const step of [/^finish what dpkg/, /^set in /, /^move the token/, /^restart /])
        assert.ok(steps.some((said) => step.test(said)), `not cut off after ${step}: ${steps.join('; ')}`);
    await plane.online('web-1');
    ends(await vm.install(line), 0, /Nothing had to be changed/);
    assert.deepEqual(await filesWith(vm, token), []);
});

test('what is wrong is said, and mended by the next run', needs, async (t) => {
    const network = await Network.make(t);
    const [plane, vm] = await Promise.all([network.controlPlane(), bare(network, 'web-1')]);
    const at = `--url ${plane.vmUrl}`;
    const untouched = await listing(vm);
    const refused = async (words, code, said, options) => {
        const done = await vm.install(words, options);
        ends(done, code, said);
        assert.equal(done.stderr.trim().split('\n').length, 1, done.stderr);
    };
    await t.test('before anything is changed', async () => {
        await refused('--url http://control.example:8080 --token-file -', 2, /http:\/\/ is allowed only to this machine itself/);
        await refused('--url http://127.0.0.1.evil.example/ --token-file -', 2, /http:\/\/ is allowed only/);
        await refused('--url control.example:8443', 2, /is not a URL such as/);
        await refused(at, 2, /there is no enrollment token; make one with synapsexctl tokens create/);
        await refused(`${at} --token-file /root/nothing`, 2, /there is no file \/root\/nothing/);
        await refused(`${at} --token-file -`, 2, /is none \(sxe_…\)/, { input: 'hello\n' });
        await refused(`${at} sxe_token.secret`, 2, /a token is no argument/);
        await refused(`${at} --token-file /root --deb ${vm.deb}`, 2, /\/root is no file/);
        await giveToken(vm, plane, { mode: '640' });
        await refused(`${at} --token-file /root/token`, 2, /others than its owner may read \/root\/token/);
        await refused(`${at} --ca-file ${vm.deb}`, 2, /has no certificate in it/);
        await refused(`${at} --deb-url https://packages.example/x.deb`, 2, /needs --deb-sha256/);
        await refused(`${at} --deb-url https://packages.example/x.deb --deb-sha256 12`, 2, /it has 64 digits/);
        await refused(`${at} --deb /root/install-agent.sh`, 4, /is no package synapsex-agent/);
        await refused(`${at} --purge`, 2, /--purge goes with --uninstall/);
        await refused(`${at} --nonsense`, 2, /there is no option --nonsense/);
        await refused('', 2, /there is no enrollment token/);
        await vm.must('chmod 600 /root/token');
        const stranger = await vm.run('cp /root/install-agent.sh /tmp && exec runuser -u nobody -- sh /tmp/install-agent.sh --uninstall');
        ends(stranger, 3, /only root can install it/);
        for (const [id, version, isOurs] of [['fedora', 42, false], ['debian', 11, false], ['ubuntu', '20.04', false], ['ubuntu', '24.04', true]]) {
            await vm.write('/tmp/os-release', `ID=${id}\nVERSION_ID="${version}"\nPRETTY_NAME="${id} ${version}"\n`);
            const done = await vm.run(`exec unshare -m sh -c 'mount --bind /tmp/os-release /etc/os-release && exec sh /root/install-agent.sh --uninstall'`);
            if (isOurs) ends(done, 0, /is not installed/);
            else ends(done, 3, new RegExp(`Debian from 12 and Ubuntu from 22\\.04 on; this is ${id} ${version}`));
        }
        await vm.must('rm /tmp/install-agent.sh /tmp/os-release /root/token');
        await vm.must('touch -d @0 /tmp /root');
        const normal = (text) => text.split('\n').filter((row) => !/^\/(tmp|root) d /.test(row)).join('\n');
        assertSame(normal(await listing(vm)), normal(untouched));
    });
    await t.test('no repository has the package', async () => {
        await giveToken(vm, plane);
        ends(await vm.install(`${at} --token-file /root/token`), 4, /no repository of apt has synapsex-agent here; give the package with --deb FILE/);
    });
    await t.test('a token that the control plane does not know, and then one that it does, from standard input', async () => {
        const { token } = await plane.enrollmentToken({ name: 'web-1' });
        const [first, secret, pin] = token.split('.');
        const wrong = `${first}.${[...secret].reverse().join('')}.${pin}`;
        const done = await vm.install(`${at} --token-file - --deb ${vm.deb}`, { input: `${wrong}\n` });
        ends(done, 5, /has given up\. It says: The control plane refuses the enrollment \(401 [a-z_.]+\).*Make another token/);
        assert.doesNotMatch(done.stdout + done.stderr, new RegExp(secret));
        ends(await vm.install(`${at} --token-file - --deb ${vm.deb}`, { input: token }), 0, /This machine is online/);
    });
    await t.test('an agent.toml that cannot be understood, and one that is written in another way', async () => {
        const good = await vm.read(config);
        await vm.write(config, `${good}nonsense = 1\n`);
        ends(await vm.install(`${at} --name other`), 1, /agent\.toml cannot be understood; mend it and run this again: .*there is no setting 'nonsense'/);
        assert.equal(await vm.read(config), `${good}nonsense = 1\n`);
        await vm.write(config, good.replace(/^url = .*/m, `"\\u0075rl" = "${plane.vmUrl}"`));
        ends(await vm.install(`${at} --name other`), 1, /agent\.toml/);
        await vm.write(config, good);
    });
    await t.test('an older package does not replace a later one', async () => {
        ends(await vm.install(at), 0, /^restart synapsex-agent\.service$/m);  // agent.toml is newer than the running agent
        const older = await vm.copyIn(packageFile('synapsex-agent', join(process.env.SYNAPSEX_DEBS, 'older')), '/root/older');
        ends(await vm.install(`${at} --deb ${older}`), 0, /is installed, which is later than 0\.0\.1 .*; it stays\nNothing had to be changed/s);
    });
    await t.test('a VM that was removed in the control plane is told so', async () => {
        const { agentId } = JSON.parse(await vm.read('/var/lib/synapsex/agent/identity.json'));
        await plane.must('DELETE', `/v1/agents/${agentId}`);
        const done = await vm.install(`${at} --name again`);
        ends(done, 5, /the control plane has removed this VM or replaced its key, or is another one\. To enroll it as a new VM, run this again with a new token \(synapsexctl tokens create/);
    });
    const agentNow = async () => JSON.parse(await vm.read('/var/lib/synapsex/agent/identity.json')).agentId;
    await t.test('with a token it is a new one', async () => {
        const removed = await agentNow();
        const token = await giveToken(vm, plane);
        const done = await vm.install(`${at} --token-file /root/token`);
        ends(done, 0, /it enrolls again\.\nmove the token from \/root\/token to \/etc\/synapsex\/enrollment-token\nrestart synapsex-agent\.service\nThis machine is online/);
        assert.notEqual(await agentNow(), removed);
        assert.deepEqual(await filesWith(vm, token.split('.')[1]), []);
        assert.notEqual((await vm.run('ls /root/token')).code, 0);
    });
    await t.test('and so it is by a token in its place, without anybody starting it again', async () => {
        const removed = await agentNow();
        await plane.must('DELETE', `/v1/agents/${removed}`);
        await eventually('it is told', async () => /"lastProblem":"auth\.agent_revoked"/.test((await vm.run('synapsex-agent status --json')).stdout));
        const token = await giveToken(vm, plane, { file: '/etc/synapsex/enrollment-token' });
        await eventually('it is a new one', async () => await agentNow() !== removed, { within: 90_000, every: 500 });
        await eventually('and connected', async () => /"connected":true/.test((await vm.run('synapsex-agent status --json')).stdout), { within: 60_000, every: 500 });
        assert.deepEqual(await filesWith(vm, token.split('.')[1]), []);
    });
    await t.test('purged it enrolls as a new one, from a repository of apt', async () => {
        ends(await vm.install('--uninstall --purge'), 0);
        const folder = join(temporaryFolder(), 'repository');
        mkdirSync(folder);
        cpSync(packageFile('synapsex-agent'), join(folder, 'synapsex-agent.deb'));
        writeFileSync(join(folder, 'Packages'), execFileSync('dpkg-scanpackages', ['.'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] }));
        await vm.write('/etc/apt/sources.list', `deb [trusted=yes] file:${await vm.copyIn(folder)} ./\n`);
        await giveToken(vm, plane);
        ends(await vm.install(`${at} --token-file /root/token --dry-run`), 0, /would install synapsex-agent from the repositories of apt/);
        // Another package's installation was cut off.
        await vm.must('dpkg-query -s mawk >/var/lib/dpkg/updates/0001');
        assert.match((await vm.run('apt-get install -y mawk')).stderr, /dpkg was interrupted/);
        ends(await vm.install(`${at} --token-file /root/token`), 0, /^install synapsex-agent from a repository of apt$/m);
        assert.equal((await plane.must('GET', '/v1/vms?name=web-1')).items.length, 1);
    });
});

test('a server that is not there, and one that nobody vouches for, are told from each other', needs, async (t) => {
    const network = await Network.make(t);
    const authority = new Authority();
    const certificate = authority.issue({ names: 'DNS:control.example' });
    const [plane, one, two] = await Promise.all([network.controlPlane({ certificate }), bare(network, 'web-1'), bare(network, 'web-2')]);
    const started = Date.now();
    const go = async (vm, url) => {
        await giveToken(vm, plane);
        return vm.install(`--url ${url} --token-file /root/token --deb ${vm.deb}`);
    };
    const [away, untrusted] = await Promise.all([go(one, 'https://control.example:9'), go(two, plane.vmUrl)]);
    ends(away, 5, /not online after 60 s; it keeps trying\. .*net\.unreachable.* Look at the URL/);
    ends(untrusted, 5, /not online after 60 s; it keeps trying\. .*net\.tls_authority.* with --ca-file/);
    t.diagnostic(`${away.stderr}${untrusted.stderr}`);
    assert.ok(Date.now() - started < 120_000);
    await one.write('/root/ca.crt', readFileSync(authority.file, 'utf8'));
    ends(await one.install(`--url ${plane.vmUrl} --ca-file /root/ca.crt`), 0, /This machine is online/);
});

// As a cloud would start it: the user data is there, and cloud-init runs with the boot.
async function startWithUserData(vm, userData) {
    const seed = '/var/lib/cloud/seed/nocloud';
    await vm.must(`mkdir -p ${seed}; rm /etc/cloud/cloud-init.disabled`);
    await vm.write('/etc/cloud/cloud.cfg.d/99-test.cfg', 'datasource_list: [NoCloud]\nnetwork: {config: disabled}\nlocale: false\n');
    await vm.write(`${seed}/meta-data`, `instance-id: ${vm.name}\nlocal-hostname: ${vm.name}\n`);
    await vm.write(`${seed}/user-data`, userData, { mode: '600' });
    await vm.reboot();
    const done = await vm.run('cloud-init status --wait --long', { within });
    return { ...done, stdout: done.stdout + await vm.must('cat /var/log/cloud-init-output.log') };
}

test('what synapsexctl prints is all that it takes: by ssh into a shell, and as user data of cloud-init', needs, async (t) => {
    const network = await Network.make(t);
    const [plane, ...vms] = await Promise.all([network.controlPlane(), ...['web-1', 'web-2'].map((name) => network.boot(name))]);
    const cli = new Cli(plane);
    assert.equal((await cli.login(plane.credentials)).code, 0);
    const print = async (kind, ...words) => {
        const done = await cli.run(['tokens', 'create', '--print', kind, '--', '--url', plane.vmUrl, ...words]);
        assert.equal(done.code, 0, done.stderr);
        return { text: done.stdout, secret: /^ *sxe_\w+\.([\w-]+)/m.exec(done.stdout)[1] };
    };
    const [one, two] = vms;
    for (const vm of vms) vm.deb = await vm.copyIn(packageFile('synapsex-agent'));

    await t.test('a script, in a shell that reads it from standard input', async () => {
        const { text, secret } = await print('script', '--name', "Ada's web");
        const watch = await watchSecret(one, secret);
        const done = await one.run(['sh', '-s', '--', '--deb', one.deb], { input: text, within });
        ends(done, 0, /This machine is online as/);
        assert.deepEqual(await watch.end(), []);
        assert.deepEqual(await filesWith(one, secret), []);
        await plane.online("Ada's web");
        const again = await one.run(['bash', '-s', '--', '--deb', one.deb], { input: text, within });
        ends(again, 0, /the token is not used and stays valid\.\nNothing had to be changed/);
        ends(await one.run(['bash', '-s', '--', '--dry-run', '--proxy', 'http://proxy.example'], { input: text }), 0, /would write the proxy/);
        const half = await two.run(['sh', '-s', '--', '--deb', two.deb], { input: text.slice(0, text.lastIndexOf('\nmain ')), within });
        assert.deepEqual([half.code, half.stdout], [0, ''], 'half of it does nothing');
    });
    await t.test('cloud-config', async () => {
        const { text, secret } = await print('cloud-init', '--deb', two.deb);
        const done = await startWithUserData(two, text);
        ends(done, 0, /^status: done$[\s\S]*This machine is online as/m);
        await plane.online('web-2');
        // Its own copies of the user data stay, for root alone; the token in them is used up.
        const kept = await filesWith(two, secret);
        for (const file of kept) {
            assert.match(file, /^\/var\/lib\/cloud\/(seed|instances)\//);
            assert.match(await two.must(['stat', '--format', '%a %U', file]), /^[46]00 root$/m, file);
        }
        const { uses, usesMax } = (await plane.must('GET', '/v1/agents/enrollment-tokens')).items.at(-1);
        assert.deepEqual([uses, usesMax], [1, 1]);
    });
});
