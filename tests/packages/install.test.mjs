// The packages' life in a Debian of their own: installed, upgraded, removed, purged, and cut off in
// the middle of each of these. No systemd runs in there; what its units say is done by hand.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { Debian, debOf, packages, unitValues, unpacked, whyNoDebian } from '../support/debian.mjs';
import { eventually } from '../support/processes.mjs';

const skip = await whyNoDebian();
const older = join(packages, 'older');
const agentConfig = '/etc/synapsex/agent.toml';
const data = '/var/lib/synapsex/agent';
const tokenFile = '/etc/synapsex/enrollment-token';
const prepare = '/usr/libexec/synapsex/prepare-agent';
const everything = ['/etc/synapsex', '/var/lib/synapsex', '/run/synapsex', '/usr/libexec/synapsex', '/usr/share/synapsex-agent'];

const unitOf = (name) => join(unpacked('synapsex-agent'), 'lib/systemd/system', `${name}.service`);

// As the unit starts it, with its user, environment and capabilities.
function startUnit(debian, name) {
    const unit = unitOf(name);
    const [user] = unitValues(unit, 'User');
    const [group] = unitValues(unit, 'Group');
    const capabilities = unitValues(unit, 'CapabilityBoundingSet').join(' ').split(' ').filter(Boolean)
        .map((capability) => `+${capability.replace('CAP_', '').toLowerCase()}`);
    const env = Object.fromEntries(unitValues(unit, 'Environment').map((line) => line.split('=')));
    const words = unitValues(unit, 'ExecStart')[0].split(' ');
    return debian.start([
        'setpriv', '--reuid', user, '--regid', group, '--clear-groups', '--no-new-privs',
        '--bounding-set', ['-all', ...capabilities].join(','), ...words,
    ], { env, name });
}

// What systemd-tmpfiles does when the package is configured and at each boot.
async function makeRunDirectory(debian) {
    const [, path, mode, user, group] = debian.read('/usr/lib/tmpfiles.d/synapsex-agent.conf').trim().split(' ');
    await debian.must('install', '-d', '-m', mode, '-o', user, '-g', group, path);
}

test('an agent that is told nothing: installed, and says what to do', { skip }, async () => {
    const debian = await Debian.make();
    const said = await debian.install(debOf('synapsex-agent'));
    assert.match(said, /Not enrolled yet\. Set url and token_file in \/etc\/synapsex\/agent\.toml, then: systemctl restart synapsex-agent/);
    assert.equal(await debian.stateOf('synapsex-agent'), 'installed');
    assert.equal(await debian.modeOf(data), 'synapsex-agent:synapsex-agent 700');
    assert.equal(await debian.modeOf(agentConfig), 'root:root 644');
    const atBoot = '/etc/systemd/system/multi-user.target.wants/synapsex-agent.service';
    assert.equal(await debian.must('readlink', atBoot), '/lib/systemd/system/synapsex-agent.service\n');
    const condition = await debian.run([prepare, 'is-configured']);
    assert.equal(condition.code, 1, 'the unit is skipped, and does not fail');
    // Without the help of the unit, the program says the same by its exit code.
    await makeRunDirectory(debian);
    const started = startUnit(debian, 'synapsex-agent');
    assert.deepEqual(await started.exited, { code: 78, signal: null }, started.tail());
    assert.match(debian.read('/etc/passwd'), /^synapsex-agent:.*:\/usr\/sbin\/nologin$/m);
});

test('half a configuration is skipped, a wrong one is left to fail aloud', { skip }, async () => {
    const debian = await Debian.make();
    await debian.install(debOf('synapsex-agent'));
    const condition = async (text) => {
        debian.write(agentConfig, text);
        return (await debian.run([prepare, 'is-configured'])).code;
    };
    assert.equal(await condition('url = "https://cp.example"\n'), 1);
    assert.equal(await condition(`token_file = "${tokenFile}"\n`), 1);
    assert.equal(await condition(`url = "https://cp.example"\ntoken_file = "${tokenFile}"\n`), 0);
    assert.equal(await condition('nonsense = 1\n'), 0);
    debian.write(agentConfig, '');
    debian.write(`${data}/identity.json`, '{}');
    assert.equal((await debian.run([prepare, 'is-configured'])).code, 0, 'enrolled: nothing is needed');
});

test('a token of root\'s is handed to the worker and erased', { skip }, async () => {
    const debian = await Debian.make();
    await debian.install(debOf('synapsex-agent'));
    debian.write(agentConfig, `url = "https://cp.example"\ntoken_file = "${tokenFile}"\n`);
    const take = () => debian.run([prepare, 'take-token'], { env: { SYNAPSEX_AGENT_TOKEN_FILE: `${data}/enrollment-token` } });
    const none = await take();
    assert.deepEqual([none.code, none.stderr], [0, `There is no enrollment token in ${tokenFile}.\n`]);

    debian.write(tokenFile, 'sxe_first\n', 0o600);
    assert.equal((await take()).code, 0);
    assert.ok(!debian.has(tokenFile));
    assert.equal(await debian.modeOf(`${data}/enrollment-token`), 'synapsex-agent:synapsex-agent 600');
    assert.equal(debian.read(`${data}/enrollment-token`), 'sxe_first\n');
    assert.deepEqual(await take(), { code: 0, signal: null, stdout: '', stderr: '' }, 'a restart before it has enrolled');

    // A token that was refused: the next one takes its place. A link left in its way leads nowhere.
    await debian.must('ln', '-sf', '/etc/shadow', `${data}/enrollment-token`);
    debian.write(tokenFile, 'sxe_second\n', 0o600);
    assert.equal((await take()).code, 0);
    assert.equal(debian.read(`${data}/enrollment-token`), 'sxe_second\n');
    assert.doesNotMatch(debian.read('/etc/shadow'), /sxe_/);

    // An agent that the control plane has forgotten enrolls again with it.
    debian.write(`${data}/identity.json`, '{}');
    debian.write(tokenFile, 'sxe_again\n', 0o600);
    assert.equal((await take()).code, 0);
    assert.equal(debian.read(`${data}/enrollment-token`), 'sxe_again\n');
    assert.deepEqual(await take(), { code: 0, signal: null, stdout: '', stderr: '' }, 'none is needed');

    // The worker looks where its unit says, wherever its data is.
    debian.write(agentConfig, `url = "https://cp.example"\ntoken_file = "${tokenFile}"\ndata_dir = "/srv/agent"\n`);
    debian.write(tokenFile, 'sxe_elsewhere\n', 0o600);
    assert.equal((await take()).code, 0);
    assert.equal(debian.read(`${data}/enrollment-token`), 'sxe_elsewhere\n');

    // What cannot be used stays, and is told of.
    debian.write(tokenFile, '\n', 0o600);
    assert.match((await take()).stderr, /it is empty/);
    assert.ok(debian.has(tokenFile));
    await debian.must('rm', tokenFile);
    debian.write(agentConfig, `url = "https://cp.example"\ntoken_file = "/etc/synapsex/a\\"b"\n`);
    assert.match((await take()).stderr, /choose another name/);
    debian.write(agentConfig, `url = "https://cp.example"\ntoken_file = "${tokenFile}"\n`);

    // What is no file stays.
    await debian.must('ln', '-s', '/etc/shadow', tokenFile);
    assert.match((await take()).stderr, /is no file with an enrollment token/);
    assert.match(debian.read('/etc/shadow'), /^root:/);
});

test('configured before it is installed: it enrolls, upgrades, stays when removed and goes when purged', { skip }, async (t) => {
    const controlPlane = await ControlPlane.start();
    t.after(() => controlPlane.stop());
    const debian = await Debian.make();
    const { token } = await controlPlane.enrollmentToken({ name: 'packaged' });
    const config = `# ours\nurl = "${controlPlane.url}"\ntoken_file = "${tokenFile}"\nname = "packaged"\n`;
    debian.write(agentConfig, config);
    debian.write(tokenFile, `${token}\n`, 0o600);
    await debian.install(debOf('synapsex-agent', older));
    assert.equal(debian.read(agentConfig), config, 'nobody was asked about it');

    const live = async () => {
        await debian.must(prepare, 'is-configured');
        await debian.must(prepare, 'take-token');
        await makeRunDirectory(debian);
        const executor = startUnit(debian, 'synapsex-executor');
        const worker = startUnit(debian, 'synapsex-agent');
        const vm = await eventually('the packaged agent is online', async () => {
            for (const each of [executor, worker])
                if (!each.isRunning) throw Object.assign(new Error(each.tail()), { isFinal: true });
            const { items } = await controlPlane.must('GET', '/v1/vms?name=packaged');
            return items[0]?.state === 'online' && items[0];
        }, { within: 60_000, every: 200 });
        return { executor, worker, vm };
    };
    const die = async ({ executor, worker }) => {
        for (const each of [worker, executor]) await each.killHard();
    };
    const identity = () => ['identity.json', 'agent.key'].map((file) => debian.read(`${data}/${file}`));

    const before = await live();
    assert.ok(!debian.has(tokenFile), 'the operator\'s file');
    assert.ok(!debian.has(`${data}/enrollment-token`), 'the worker\'s copy');
    assert.equal(await debian.modeOf('/run/synapsex'), 'root:synapsex-agent 1770');
    assert.equal(await debian.modeOf('/run/synapsex/executor.sock'), 'root:synapsex-agent 660');
    const status = JSON.parse((await debian.run(['synapsex-agent', 'status', '--json'])).stdout);
    assert.equal(status.running, true);
    assert.deepEqual([status.executor?.privileged, status.executor?.version], [true, status.version]);
    await die(before);
    const known = identity();

    await debian.install(debOf('synapsex-agent'));
    const upgraded = await live();
    assert.deepEqual(identity(), known);
    assert.equal(upgraded.vm.id, before.vm.id);
    assert.equal(debian.read(agentConfig), config);
    assert.ok(debian.has(`${data}/spool.db`));
    await die(upgraded);

    await debian.must('dpkg', '--remove', 'synapsex-agent');
    assert.equal(await debian.stateOf('synapsex-agent'), 'config-files');
    assert.deepEqual(identity(), known);
    assert.equal(debian.read(agentConfig), config);
    assert.ok(!debian.has('/usr/libexec/synapsex'));
    await debian.install(debOf('synapsex-agent'));
    assert.deepEqual(identity(), known, 'installed again');

    await debian.must('dpkg', '--purge', 'synapsex-agent');
    for (const path of everything) assert.ok(!debian.has(path), `${path} is left`);
});

test('where there is no systemd the programs find each other, and their own supervisor runs them', { skip }, async (t) => {
    const controlPlane = await ControlPlane.start();
    t.after(() => controlPlane.stop());
    const debian = await Debian.make();
    await debian.install(debOf('synapsex-agent'));
    debian.write('/root/token', `${(await controlPlane.enrollmentToken({ name: 'contained' })).token}\n`, 0o600);
    const supervisor = debian.start(['synapsex-agent', '--supervise', '--url', controlPlane.url, '--name', 'contained', '--token-file', '/root/token']);
    await eventually('it is online', async () => {
        if (!supervisor.isRunning) throw Object.assign(new Error(supervisor.tail()), { isFinal: true });
        const { items } = await controlPlane.must('GET', '/v1/vms?name=contained');
        return items[0]?.state === 'online';
    }, { within: 60_000, every: 200 });
    assert.ok(!debian.has('/root/token'));
    assert.match(debian.read('/run/synapsex/executor.pid'), /^\d+$/m);
    await supervisor.killHard();
});

test('a configuration that was deleted stays deleted', { skip }, async () => {
    const debian = await Debian.make();
    await debian.install(debOf('synapsex-agent', older));
    await debian.must('rm', agentConfig);
    await debian.install(debOf('synapsex-agent'));
    assert.ok(!debian.has(agentConfig));
    await debian.must('dpkg', '--purge', 'synapsex-agent');
});

test('the control plane beside the agent: initialised, upgraded, removed, purged', { skip }, async () => {
    const debian = await Debian.make();
    const said = await debian.install(debOf('synapsex-controlplane', older), debOf('synapsex-agent'), debOf('synapsexctl'));
    assert.match(said, /runuser -u synapsex -- synapsex-controlplane init --email/);
    assert.equal(await debian.modeOf('/var/lib/synapsex/controlplane'), 'synapsex:synapsex 700');
    assert.equal(await debian.modeOf('/etc/synapsex/controlplane.toml'), 'root:synapsex 640');
    const printed = await debian.must('runuser', '-u', 'synapsex', '--', 'synapsex-controlplane', 'init', '--email', 'you@example.com');
    assert.match(printed, /is initialised in \/var\/lib\/synapsex\/controlplane/);
    const issuer = debian.read('/var/lib/synapsex/controlplane/issuer');
    debian.write('/etc/synapsex/controlplane.toml', 'log-level = "error"\n');
    const again = await debian.install(debOf('synapsex-controlplane'));
    assert.doesNotMatch(again, /init --email/);
    assert.equal(debian.read('/etc/synapsex/controlplane.toml'), 'log-level = "error"\n');
    await debian.must('runuser', '-u', 'synapsex', '--', 'synapsex-controlplane', 'serve', '--migrate-only');
    assert.match(await debian.must('synapsexctl', '--version'), /\d+\.\d+\.\d+/);

    await debian.must('dpkg', '--remove', 'synapsex-controlplane');
    assert.equal(debian.read('/var/lib/synapsex/controlplane/issuer'), issuer);
    await debian.must('dpkg', '--purge', 'synapsex-controlplane', 'synapsexctl');
    assert.ok(!debian.has('/var/lib/synapsex/controlplane'));
    assert.ok(!debian.has('/etc/synapsex/controlplane.toml'));
    assert.ok(debian.has(agentConfig), 'the agent\'s files are the agent\'s');
    assert.ok(debian.has(data));
    await debian.must('dpkg', '--purge', 'synapsex-agent');
    for (const path of everything) assert.ok(!debian.has(path), `${path} is left`);
});

// For bash, inside: runs a script of the package and kills it before its nth command, as a power cut
// would; then dpkg has to bring it to its end. Says "N configure" and "N purge" for each cut.
const cutting = `
set -eu
export name="$1" deb="$2" config="$3" folder="$4" owner="$5"
shift 5
cut_before() {
    export limit="$1"
    shift
    local code=0
    bash -c 'n=0; trap "n=\\$((n + 1)); ((n != limit)) || kill -KILL \\$\\$" DEBUG; set -T; file=$1; shift; . "$file"' \\
        cut "$@" >/dev/null || code=$?
    ((code == 0 || code == 137)) || { echo "$*: $code"; exit 1; }
    ((code == 0)) || is_cut=yes
    ((code == 0)) || echo "$limit $2"
}
fail() { echo "cut before command $n: $*"; exit 1; }
for ((n = 1; ; n++)); do
    is_cut=no
    dpkg --unpack "$deb" >/dev/null
    cut_before "$n" "/var/lib/dpkg/info/$name.postinst" configure ''
    dpkg --configure -a >/dev/null
    [[ $(dpkg-query -W -f '\${db:Status-Status}' "$name") == installed ]] || fail 'not installed'
    [[ $(stat -c '%U:%G %a' "$folder") == "$owner" ]] || fail "$(stat -c '%U:%G %a' "$folder")"
    grep -q 'reads this file and never writes it' "$config" || fail "no $config"
    [[ ! -e $config.new ]] || fail "$config.new is left"
    cut_before "$n" "/var/lib/dpkg/info/$name.postrm" purge
    dpkg --purge "$name" >/dev/null 2>&1
    for path; do [[ ! -e $path ]] || fail "$path is left"; done
    [[ $is_cut == yes ]] || exit 0
done
`;

for (const [name, config, folder, owner] of [
    ['synapsex-agent', agentConfig, data, 'synapsex-agent:synapsex-agent 700'],
    ['synapsex-controlplane', '/etc/synapsex/controlplane.toml', '/var/lib/synapsex/controlplane', 'synapsex:synapsex 700'],
]) {
    test(`${name}: cut off at any command of its scripts, it is finished later`, { skip }, async (t) => {
        const debian = await Debian.make();
        const [deb] = debian.take(debOf(name));
        const done = await debian.must('bash', '-c', cutting, 'cutting', name, deb, config, folder, owner, ...everything);
        for (const what of ['configure', 'purge']) {
            const cuts = done.split('\n').filter((line) => line.endsWith(` ${what}`)).length;
            t.diagnostic(`${cuts} cuts of ${what}`);
            assert.ok(cuts >= 8, `${cuts} cuts of ${what}: is the script traced?\n${done}`);
        }
    });
}
