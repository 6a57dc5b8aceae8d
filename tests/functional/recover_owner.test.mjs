// The only owner lost the password, or left: whoever has the server's machine lets somebody back in.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { allMessages } from '../support/outbox.mjs';
import { eventually, Program, program } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] }); });
after(async () => { if (controlPlane?.process.isRunning) await controlPlane.stop(); });

const recover = (parameters, options = {}) =>
    controlPlane.run(['recover-owner', ...controlPlane.flags, ...parameters], options);
// On SQLite a file has one control plane; PostgreSQL takes both.
const stopped = async (work) => {
    if (!isPostgres) await controlPlane.stop();
    const done = await work();
    if (!isPostgres) await controlPlane.serve();
    return done;
};
const login = (email, password) => controlPlane.post('/v1/auth/login', { email, password });
const passwordIn = (stdout) => stdout.match(/^ {2}password {2}(\S{20})$/m)?.[1];
const recoveries = () => allMessages(controlPlane.database).filter(({ type }) => type === 'user.recovered');

test('beside a running control plane it is refused where a file has one, and nothing changes', { skip: isPostgres && 'PostgreSQL takes both' }, async () => {
    const done = await recover(['--email', 'owner@example.com']);
    assert.equal(done.code, 1);
    assert.match(done.stderr, /is in use by process \d+; stop it first/);
    assert.equal(done.stdout, '');
    assert.equal((await login('owner@example.com', controlPlane.credentials.password)).status, 200);
});

test('the owner gets in with the new password, and neither the old one nor old sessions count', async () => {
    const before = await controlPlane.signIn(controlPlane.credentials);
    assert.equal((await controlPlane.get('/v1/auth/me', { as: before })).status, 200);
    const done = await stopped(() => recover(['--email', 'Owner@Example.com']));
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /owner@example\.com\n {2}gets a new password; all sessions of the user end;\n {2}stays an owner of the tenant main-street \(ten_/);
    assert.match(done.stdout, /Done; [2-9] sessions ended\./);
    const password = passwordIn(done.stdout);
    assert.ok(password, done.stdout);

    await eventually('the old access token ends', async () => (await controlPlane.get('/v1/auth/me', { as: before })).status === 401);
    assertProblem(await controlPlane.post('/v1/auth/refresh', { refreshToken: before.refreshToken }), 401, 'auth.refresh_invalid');
    assertProblem(await login('owner@example.com', controlPlane.credentials.password), 401, 'auth.login_failed');
    controlPlane.credentials.password = password;
    controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
    assert.equal((await controlPlane.must('GET', '/v1/auth/me')).role, 'owner');
});

test('the audit trail has it, with who ran it, and the password nowhere', async () => {
    const [message] = recoveries();
    assert.equal(message.kind, 'change');
    assert.equal(message.subject, controlPlane.owner.id);
    assert.equal(message.tenantId, controlPlane.owner.tenantId);
    assert.equal(message.requestId, 'recover-owner');
    const [actor] = JSON.parse(message.actor);
    assert.equal(actor.type, 'local_operator');
    assert.ok(actor.id.includes(`${userInfo().username} (uid ${process.getuid()})`), actor.id);
    assert.equal(controlPlane.database.bytes().includes(controlPlane.credentials.password), false);
});

test('a password of one\'s own comes from standard input, and is not shown', async () => {
    const credentials = join(controlPlane.folder, 'recovered.json');
    writeFileSync(credentials, '{"old":true}\n');
    const given = await stopped(() => recover(
        ['--email', 'owner@example.com', '--password-stdin', '--credentials-file', credentials],
        { input: 'my own and long password\r\n', env: { SUDO_UID: '54321' } },
    ));
    assert.equal(given.code, 0, given.stderr);
    assert.ok(!given.stdout.includes('my own'), given.stdout);
    assert.deepEqual(JSON.parse(readFileSync(credentials, 'utf8')), { email: 'owner@example.com', password: 'my own and long password' });
    assert.equal(statSync(credentials).mode & 0o777, 0o600);
    assert.ok(!existsSync(`${credentials}.new`));
    const [actor] = JSON.parse(recoveries().at(-1).actor);
    assert.match(actor.id, /^uid 54321, as .* \(uid \d+\)$/, 'and who asked sudo for it');
    controlPlane.credentials.password = 'my own and long password';
    controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
});

test('what is wrong is said, with 1 for what is refused and 2 for the command line', async () => {
    const cases = [
        [['--email', 'ownr@example.com'], /No user has the e-mail address ownr@example\.com\. Owners of main-street: owner@example\.com\. With --create-user/],
        [['--email', 'owner@example.com', '--tenant', 'elsewhere'], /No tenant has the slug or id "elsewhere"\. There are: main-street\./],
        [['--email', 'not an address'], /e-mail address is not one/],
        [['--email', 'owner@example.com', '--credentials-file', '/nowhere/at/all'], /cannot write \/nowhere\/at\/all\.new: .*; nothing was changed/],
    ];
    const told = recoveries().length;
    await stopped(async () => {
        for (const [parameters, sentence] of cases) {
            const done = await recover(parameters);
            assert.equal(done.code, 1, done.stdout);
            assert.match(done.stderr, sentence);
        }
        const short = await recover(['--email', 'owner@example.com', '--password-stdin'], { input: 'short\n' });
        assert.deepEqual([short.code, /the password /.test(short.stderr)], [1, true], short.stderr);
        assert.equal((await recover([])).code, 2);
        const elsewhere = await controlPlane.run(['recover-owner', '--config', controlPlane.configFile, '--data-dir', join(controlPlane.folder, 'none'), '--email', 'owner@example.com']);
        assert.equal(elsewhere.code, 1);
        assert.ok(!existsSync(join(controlPlane.folder, 'none')), 'nothing is made where nothing is');
    });
    assert.equal(recoveries().length, told);
    assert.equal((await login('owner@example.com', controlPlane.credentials.password)).status, 200);
});

test('the owner has left: somebody else becomes one, new or known', async () => {
    const wish = ['--email', 'successor@example.com', '--tenant', 'main-street', '--create-user'];
    const made = await stopped(() => recover(wish));
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /successor@example\.com {2}\(a new user\)/);
    const successor = await controlPlane.signIn({ email: 'successor@example.com', password: passwordIn(made.stdout) });
    assert.equal(successor.tenantId, controlPlane.owner.tenantId);
    assert.equal((await controlPlane.get('/v1/auth/me', { as: successor })).json.role, 'owner');

    const known = await controlPlane.register('helper');
    const helped = await stopped(() => recover(['--email', known.email, '--tenant', controlPlane.owner.tenantId]));
    assert.equal(helped.code, 0, helped.stderr);
    assert.match(helped.stdout, /becomes an owner of the tenant main-street/);
    const helper = await controlPlane.signIn({ email: known.email, password: passwordIn(helped.stdout) });
    const tenant = `/v1/tenants/${controlPlane.owner.tenantId}`;
    const removed = await controlPlane.delete(`${tenant}/members/${controlPlane.owner.id}`, { as: helper, tenant: controlPlane.owner.tenantId });
    assert.ok(removed.status < 300, removed.text);
    assert.equal(recoveries().at(-1).subject, known.id);
    // Who has two tenants says which.
    const ambiguous = await stopped(() => recover(['--email', known.email]));
    assert.equal(ambiguous.code, 1);
    assert.match(ambiguous.stderr, /Say of which tenant, with --tenant: /);
});

test('killed at any moment it has done all of it or nothing, and the same command mends it', async () => {
    const wish = ['--email', 'successor@example.com', '--tenant', 'main-street', '--password-stdin'];
    const set = (next) => recover(wish, { input: `${next}\n` });
    const setFor = async (next, milliseconds) => {
        const started = new Program(program('synapsex-controlplane'), ['recover-owner', ...controlPlane.flags, ...wish], { input: `${next}\n` });
        if (!await started.hasExited(milliseconds)) await started.killHard();
    };
    let password = 'the password before it all';
    const whole = await stopped(async () => {
        const start = Date.now();
        assert.equal((await set(password)).code, 0);
        return Date.now() - start;
    });
    let killed = 0;
    for (let step = 1; step <= 8; ++step) {
        const told = recoveries().length;
        const next = `another password, number ${step}`;
        await stopped(() => setFor(next, Math.round(whole * (step + 2) / 10)));
        const isDone = (await login('successor@example.com', next)).status === 200;
        assert.equal((await login('successor@example.com', password)).status, isDone ? 401 : 200);
        assert.equal(recoveries().length, told + (isDone ? 1 : 0), 'the audit row is of the same transaction');
        if (isDone) password = next;
        else killed += 1;
    }
    assert.ok(killed > 0, 'none was killed before its end');
    const last = 'the password after it all';
    assert.equal((await stopped(() => set(last))).code, 0);
    assert.equal((await login('successor@example.com', last)).status, 200);
});
