// What is in the packages: files with modes and owners, how programs are linked and hardened, what
// Debian's own checker says, and nothing of the folder or the hour in which they were built.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { debOf, fieldOf, names, packages, unitValues, unpacked, whyNoPackages } from '../support/debian.mjs';
import { root, run, temporaryFolder } from '../support/processes.mjs';

const skip = whyNoPackages;
const checkSymbols = join(root, 'packaging', 'deb', 'check_symbols.sh');
const programs = skip ? [] : [
    join(unpacked('synapsex-agent'), 'usr/libexec/synapsex/synapsex-agent'),
    join(unpacked('synapsex-agent'), 'usr/libexec/synapsex/synapsex-executor'),
    join(unpacked('synapsex-controlplane'), 'usr/bin/synapsex-controlplane'),
    join(unpacked('synapsexctl'), 'usr/bin/synapsexctl'),
];
const agentPrograms = programs.slice(0, 2);

// "mode owner path" of what is not a folder or documentation every package has.
function listOf(name) {
    return execFileSync('dpkg-deb', ['--contents', debOf(name)], { encoding: 'utf8' }).trim().split('\n')
        .map((line) => line.split(/\s+/))
        .map(([mode, owner, , , , path, , target]) => [mode, owner, path.slice(1), ...(target ? [target] : [])].join(' '))
        .filter((line) => !line.startsWith('d') && !/\/usr\/share\/(doc\/[^/]*\/(changelog|copyright)|man\/)/.test(line));
}

test('files with their modes, all of root', { skip }, () => {
    assert.deepEqual(listOf('synapsex-agent').sort(), [
        '-rw-r--r-- root/root /lib/systemd/system/synapsex-agent.service',
        '-rw-r--r-- root/root /lib/systemd/system/synapsex-executor.service',
        '-rw-r--r-- root/root /usr/lib/tmpfiles.d/synapsex-agent.conf',
        '-rw-r--r-- root/root /usr/share/doc/synapsex-agent/README.Debian',
        '-rw-r--r-- root/root /usr/share/synapsex-agent/agent.toml',
        '-rwxr-xr-x root/root /usr/libexec/synapsex/prepare-agent',
        '-rwxr-xr-x root/root /usr/libexec/synapsex/synapsex-agent',
        '-rwxr-xr-x root/root /usr/libexec/synapsex/synapsex-executor',
        'lrwxrwxrwx root/root /usr/bin/synapsex-agent ../libexec/synapsex/synapsex-agent',
    ]);
    assert.deepEqual(listOf('synapsex-controlplane').sort(), [
        '-rw-r--r-- root/root /lib/systemd/system/synapsex-controlplane.service',
        '-rw-r--r-- root/root /usr/share/doc/synapsex-controlplane/README.Debian',
        '-rw-r--r-- root/root /usr/share/synapsex-controlplane/controlplane.toml',
        '-rwxr-xr-x root/root /usr/bin/synapsex-controlplane',
    ]);
    assert.deepEqual(listOf('synapsexctl'), ['-rwxr-xr-x root/root /usr/bin/synapsexctl']);
    for (const name of names)
        assert.match(execFileSync('dpkg-deb', ['--contents', debOf(name)], { encoding: 'utf8' }), new RegExp(`/usr/share/man/man1/${name}\\.1\\.gz`));
});

test('each is at most 25 MB installed', { skip }, (t) => {
    for (const name of names) {
        const kilobytes = Number(fieldOf(debOf(name), 'Installed-Size'));
        t.diagnostic(`${name}: ${kilobytes} kB installed`);
        assert.ok(kilobytes <= 25_000, `${name} takes ${kilobytes} kB`);
    }
});

test('the agent needs nothing that Ubuntu 22.04 does not have', { skip }, async (t) => {
    const done = await run(checkSymbols, agentPrograms);
    assert.equal(done.code, 0, done.stderr);
    for (const line of done.stdout.trim().split('\n')) t.diagnostic(line);
    for (const library of ['libcurl4', 'libssl3'])
        assert.match(fieldOf(debOf('synapsex-agent'), 'Depends'), new RegExp(`\\b${library}( \\([^)]*\\))? \\| ${library}t64\\b`));
});

test('a program that needs more is found', { skip }, async () => {
    const folder = temporaryFolder();
    const source = join(folder, 'needs.cpp');
    const build = (text, ...flags) => {
        writeFileSync(source, text);
        execFileSync('g++', ['-o', join(folder, 'needs'), source, ...flags]);
        return run(checkSymbols, [join(folder, 'needs')]);
    };
    const newer = await build('#include <stdlib.h>\nint main() { return arc4random() == 1; }\n', '-Wl,--as-needed');
    assert.equal(newer.code, 1);
    assert.match(newer.stderr, /needs GLIBC_2\.36 \(arc4random\), above 2\.34/);
    const shared = await build('#include <iostream>\nint main() { std::cout << 1; }\n');
    assert.equal(shared.code, 1);
    assert.match(shared.stderr, /needs libstdc\+\+\.so\.6, which is not on the list/);
    assert.match(shared.stderr, /needs GLIBCXX_3\.4/);
    const none = await run(checkSymbols, [source]);
    assert.deepEqual([none.code, none.stderr], [1, `${source}: is no program\n`]);
});

test('each program is hardened', { skip }, async () => {
    // No program of Debian 12 is marked as one with control flow protection: its libc's start files
    // are not built with it.
    const done = await run('hardening-check', ['--nocfprotection', ...programs]);
    assert.equal(done.code, 0, done.stdout);
    for (const what of ['Position Independent Executable: yes', 'Stack protected: yes', 'Fortify Source functions: yes', 'Read-only relocations: yes', 'Immediate binding: yes'])
        assert.equal(done.stdout.split(what).length - 1, programs.length, `${what}\n${done.stdout}`);
});

test('lintian has nothing to say', { skip }, async () => {
    const done = await run('lintian', ['--allow-root', '--fail-on', 'error,warning', '--tag-display-limit', '0', ...names.map((name) => debOf(name))], { within: 120_000 });
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.equal(done.stdout, '');
});

test('units are ones that systemd understands', { skip }, async () => {
    // Their programs are not installed here, and systemd before 254 knows no growing waits.
    const known = /Restart(Steps|MaxDelaySec)|is not executable|Failed to (prepare|create)|Unit synapsex-\S+ not found|man .* command failed|^$/;
    for (const name of ['synapsex-agent', 'synapsex-controlplane']) {
        const folder = join(unpacked(name), 'lib/systemd/system');
        const units = readdirSync(folder).map((unit) => join(folder, unit));
        const done = await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', ...units], { env: { SYSTEMD_UNIT_PATH: `${folder}:` } });
        assert.deepEqual(done.stderr.split('\n').filter((line) => !known.test(line)), []);
    }
});

test('what the units keep from the programs', { skip }, async (t) => {
    const limits = { 'synapsex-agent': 2.0, 'synapsex-executor': 2.0, 'synapsex-controlplane': 2.0 };
    for (const [name, limit] of Object.entries(limits)) {
        const unit = join(unpacked(name === 'synapsex-executor' ? 'synapsex-agent' : name), 'lib/systemd/system', `${name}.service`);
        const done = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', unit]);
        const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(done.stdout)?.[1]);
        t.diagnostic(`systemd-analyze security ${name}: ${exposure}`);
        assert.ok(exposure <= limit, done.stdout);
        assert.deepEqual(unitValues(unit, 'RestartPreventExitStatus'), [name === 'synapsex-controlplane' ? '2' : '78']);
    }
});

test('nothing tells where or when they were built', { skip }, () => {
    const epoch = Number(execFileSync('git', ['-C', root, 'log', '-1', '--format=%ct'], { encoding: 'utf8' }));
    for (const name of names) {
        const list = execFileSync('dpkg-deb', ['--contents', debOf(name)], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
        for (const [, date, time] of list.matchAll(/ (\d{4}-\d\d-\d\d) (\d\d:\d\d) /g))
            assert.ok(Date.parse(`${date}T${time}Z`) / 1000 <= epoch, `${name}: ${date} ${time} is after the last commit`);
    }
    for (const program of programs)
        assert.ok(!readFileSync(program).includes(root), `${program} has the path of the checkout`);
    assert.equal(readdirSync(packages).filter((file) => file.endsWith('.deb')).length, names.length);
});
