// What tests/run.sh runs for which name: in a folder that has a test of each kind and builds nothing.

import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { root, run, temporaryFolder } from '../support/processes.mjs';

const checkout = join(temporaryFolder(), 'checkout');
const tools = join(checkout, 'tools');
const folders = ['architecture', 'functional', 'hostile', 'interop', 'packages', 'vm'];

function script(path, ...lines) {
    writeFileSync(path, ['#!/bin/bash', ...lines, ''].join('\n'));
    chmodSync(path, 0o755);
}

for (const folder of folders) {
    mkdirSync(join(checkout, 'tests', folder, 'node_modules'), { recursive: true });
    writeFileSync(join(checkout, 'tests', folder, `of_${folder.slice(0, 4)}.test.mjs`), "import test from 'node:test';\ntest('x', () => {});\n");
}
for (const [folder, name] of [['tests', 'run.sh'], ['installers', 'build_tools.sh'], ['installers', 'packages.txt']])
    cpSync(join(root, folder, name), join(checkout, folder, name));
mkdirSync(join(checkout, 'tests', 'support'));
script(join(checkout, 'tests', 'support', 'with_postgres.sh'), 'exec "$@"');
mkdirSync(join(checkout, 'tests', 'mutants'));
script(join(checkout, 'tests', 'mutants', 'run.mjs'), 'echo 9 of 9 found');
script(join(checkout, 'tests', 'vm', 'prepare.mjs'), '[[ $1 != --why-not ]] || printf "%s" "$WHY_NO_VMS"');
mkdirSync(join(checkout, 'packaging', 'deb'), { recursive: true });
script(join(checkout, 'packaging', 'deb', 'build.sh'));
mkdirSync(tools);
for (const name of ['cmake', 'shellcheck', 'pg_virtualenv', 'dh', 'debootstrap', 'dpkg-deb']) script(join(tools, name));
// Knows two test programs, none of them with a database, and passes 7 tests.
script(
    join(tools, 'ctest'),
    'for ((i = 1; i <= $#; i++)); do [[ ${!i} != -L ]] || exit 0; [[ ${!i} != -R ]] || { j=$((i + 1)); pattern=${!j}; }; done',
    'printf "Test #1: %s\\n" cli_test vm_registry_test | grep -E -- "$pattern" || exit 0',
    '[[ -z $GTEST_OUTPUT ]] || echo \'<testsuites tests="7" failures="0" errors="0" disabled="0">\' >"${GTEST_OUTPUT#xml:}/report.xml"',
);

const stepsOf = async (...words) => {
    const done = await run(join(checkout, 'tests', 'run.sh'), ['--no-install', ...words], { env: { PATH: `${tools}:${process.env.PATH}` } });
    assert.equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
    return [...done.stdout.matchAll(/^==> (.*)$/gm)].map((match) => match[1]).filter((step) => !/configure|build/.test(step));
};

test('the name of a folder of tests is all its files, and unit all unit tests', async () => {
    assert.deepEqual(await stepsOf('architecture'), ['architecture', 'shell scripts']);
    assert.deepEqual(await stepsOf('functional'), ['functional', 'functional on PostgreSQL']);
    assert.deepEqual(await stepsOf('hostile'), ['hostile']);
    assert.deepEqual(await stepsOf('interop'), ['interop']);
    assert.deepEqual(await stepsOf('vm'), ['roots of VMs', 'vm']);
    assert.deepEqual(await stepsOf('packages'), ['packages']);
    assert.deepEqual(await stepsOf('unit'), ['unit tests']);
});

test('where no VM can boot, their tests are skipped with the reason', async () => {
    const env = { PATH: `${tools}:${process.env.PATH}`, WHY_NO_VMS: 'only root can boot VMs' };
    const done = await run(join(checkout, 'tests', 'run.sh'), ['--no-install', 'vm'], { env });
    assert.match(done.stdout, /^==> vm\n {4}skipped: only root can boot VMs$/m, done.stdout);
    assert.match(done.stdout, /^0 passed, 0 failed, 1 skipped$/m);
});

test('planted faults are put in by a long run only', async () => {
    assert.deepEqual(await stepsOf('--long', 'mutants'), ['mutants']);
    const short = await run(join(checkout, 'tests', 'run.sh'), ['--no-install', 'mutants'], { env: { PATH: `${tools}:${process.env.PATH}` } });
    assert.equal(short.code, 2, short.stdout);
});

test('any other name is a part of the names of test programs and test files', async () => {
    assert.deepEqual(await stepsOf('vm_registry'), ['unit tests']);
    assert.deepEqual(await stepsOf('of_host'), ['hostile']);
    const done = await run(join(checkout, 'tests', 'run.sh'), ['--no-install', 'nosuch'], { env: { PATH: `${tools}:${process.env.PATH}` } });
    assert.deepEqual([done.code, done.stderr], [2, 'run.sh: nothing is named like nosuch.\n']);
});
