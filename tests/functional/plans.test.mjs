// What tenants may use: plans, limits of one tenant's own, and whoever runs the server sets them.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { Cli } from '../support/command_line.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { allMessages } from '../support/outbox.mjs';
import { eventually } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] }); });
after(async () => { if (controlPlane?.process.isRunning) await controlPlane.stop(); });

const command = (words) => controlPlane.run(['tenants', ...words, ...controlPlane.flags]);
// On SQLite a file has one control plane; PostgreSQL takes both.
async function administer(...words) {
    if (!isPostgres) await controlPlane.stop();
    const done = await command(words);
    if (!isPostgres) await controlPlane.serve();
    assert.equal(done.code, 0, done.stderr);
    return done.stdout;
}
const planOf = async (person) => {
    const answer = await controlPlane.get(`/v1/tenants/${person.tenantId}/plan`, { as: person });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
};
const limitOf = async (person, name) => (await planOf(person)).limits.find((limit) => limit.name === name);

test('the operator\'s own tenant is enterprise, what others make is free, and all plans can be read', async () => {
    assert.equal((await planOf(controlPlane.owner)).plan, 'enterprise');
    assert.equal((await limitOf(controlPlane.owner, 'vms')).value, null);
    const guest = await controlPlane.register('plan-guest');
    const plan = await planOf(guest);
    assert.deepEqual([plan.plan, plan.planVersion, plan.state, plan.reason], ['free', 1, 'active', null]);
    assert.deepEqual(await limitOf(guest, 'members'), { name: 'members', value: 5, source: 'plan', reason: null, expiresAt: null, used: 1 });
    const { items } = (await controlPlane.get('/v1/plans', { as: guest })).json;
    assert.deepEqual(items.map(({ name }) => name), ['free', 'pro', 'team', 'enterprise']);
    assert.ok(items[0].limits.requestsPerMinute >= 300);
    assert.deepEqual(Object.values(items[3].limits), Array(6).fill(null));
    assertProblem(await controlPlane.get('/v1/plans'), 401);
    assertProblem(await controlPlane.get(`/v1/tenants/${controlPlane.owner.tenantId}/plan`, { as: guest }), 404, 'tenants.not_found');
});

test('beside a running control plane it is refused where a file has one, and says what to do', { skip: isPostgres && 'PostgreSQL takes both' }, async () => {
    const done = await command(['list']);
    assert.equal(done.code, 1);
    assert.match(done.stderr, /is in use by process \d+; stop it first/);
});

test('another plan counts at once, and the audit trail says who gave it and why', async () => {
    const guest = await controlPlane.register('plan-pro');
    assert.equal((await planOf(guest)).plan, 'free');  // so that it is remembered
    const text = await administer('set-plan', guest.tenantId, 'pro', '--reason', 'invoice 4711');
    assert.match(text, /plan {5}pro, version 1/);
    await eventually('the plan is pro', async () => (await planOf(guest)).plan === 'pro', { within: 5_000 });
    assert.equal((await limitOf(guest, 'vms')).value, 100);
    const told = allMessages(controlPlane.database).find(({ type }) => type === 'tenant.plan_changed');
    assert.equal(told.tenantId, guest.tenantId);
    assert.deepEqual(JSON.parse(told.data), { plan: 'pro', version: 1, from: 'free', fromVersion: 1, reason: 'invoice 4711' });
    assert.equal(JSON.parse(told.actor)[0].type, 'local_operator');
});

test('VMs enroll up to the limit, whoever is quickest, and stay when it is lowered', async () => {
    const guest = await controlPlane.register('plan-vms');
    await administer('set-limit', guest.tenantId, 'vms', '3', '--reason', 'a small trial');
    const { token } = await controlPlane.enrollmentToken({ uses: 10 }, { as: guest });
    const crowd = Array.from({ length: 8 }, (_, i) => new JsonAgent(controlPlane, { name: `crowd-${i}` }));
    const answers = await Promise.all(crowd.map((agent) => agent.enroll(token)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 201, 201, 409, 409, 409, 409, 409]);
    const refused = assertProblem(answers.find(({ status }) => status === 409), 409, 'tenants.vm_limit_reached');
    assert.match(refused.detail, /limit is 3 VMs \(plan free\), and there are 3\. Remove an agent/);
    const inside = crowd.filter((agent) => agent.agentId);
    assert.equal((await inside[0].enroll(token)).status, 201, 'who is in may say so again');

    await administer('set-limit', guest.tenantId, 'vms', '1', '--reason', 'a smaller one');
    for (const agent of inside) {
        await agent.signIn();
        assert.equal((await agent.heartbeat()).status, 200, 'no VM is cut off');
    }
    assert.equal((await controlPlane.get('/v1/vms', { as: guest })).json.items.length, 3);
    for (const agent of inside) {
        assert.equal((await new JsonAgent(controlPlane, { name: 'late' }).enroll(token)).status, 409);
        await controlPlane.must('DELETE', `/v1/agents/${agent.agentId}`, undefined, { as: guest });
    }
    assert.equal((await new JsonAgent(controlPlane, { name: 'last' }).enroll(token)).status, 201);
});

test('API keys and members go up to the limit', async () => {
    const guest = await controlPlane.register('plan-keys');
    const keys = [];
    for (let i = 0; i < 5; ++i) keys.push(await controlPlane.must('POST', '/v1/auth/keys', { name: `k${i}` }, { as: guest }));
    const full = assertProblem(await controlPlane.post('/v1/auth/keys', { name: 'k5' }, { as: guest }), 409, 'auth.key_limit_reached');
    assert.match(full.detail, /5 API keys of a user \(plan free\).* Revoke one first/);
    await controlPlane.must('DELETE', `/v1/auth/keys/${keys[0].id}`, undefined, { as: guest });
    assert.equal((await controlPlane.post('/v1/auth/keys', { name: 'k5' }, { as: guest })).status, 201);

    const members = `/v1/tenants/${guest.tenantId}/members`;
    for (let i = 0; i < 4; ++i) {
        const { id } = await controlPlane.register(`plan-member-${i}`);
        await controlPlane.must('POST', members, { userId: id, role: 'viewer' }, { as: guest });
    }
    const { id } = await controlPlane.register('plan-member-4');
    assertProblem(await controlPlane.post(members, { userId: id, role: 'viewer' }, { as: guest }), 409, 'tenants.member_limit_reached');
    assert.equal((await limitOf(guest, 'members')).used, 5);
    await administer('set-limit', guest.tenantId, 'members', 'unlimited', '--reason', 'they asked nicely');
    assert.equal((await controlPlane.post(members, { userId: id, role: 'viewer' }, { as: guest })).status, 201);
    assert.deepEqual(await limitOf(guest, 'members'), { name: 'members', value: null, source: 'override', reason: 'they asked nicely', expiresAt: null, used: 6 });
    await administer('clear-limit', guest.tenantId, 'members', '--reason', 'no more');
    assert.equal((await limitOf(guest, 'members')).value, 5);
});

test('a limit with an end is the plan\'s again by the clock', async () => {
    const guest = await controlPlane.register('plan-until');
    const seconds = isPostgres ? 10 : 20;  // SQLite: with a start of the server in between
    const expires = new Date(Date.now() + seconds * 1000).toISOString();
    await administer('set-limit', guest.tenantId, 'keys', '7', '--reason', 'for a demonstration', '--expires', expires);
    const during = await limitOf(guest, 'keys');
    assert.deepEqual([during.value, during.source, Date.parse(during.expiresAt)], [7, 'override', Date.parse(expires)]);
    await eventually('it has expired', async () => (await limitOf(guest, 'keys')).value === 5, { within: 60_000 });
    assert.ok(Date.now() >= Date.parse(expires));
});

test('tenants are listed for people and programs; what is wrong is said', async () => {
    const guest = await controlPlane.register('plan-listed');
    if (!isPostgres) await controlPlane.stop();
    const list = await command(['list']);
    assert.match(list.stdout, /^SLUG +PLAN +STATE +MEMBERS +ID$/m);
    assert.match(list.stdout, new RegExp(`^plan-listed +free +active +1 +${guest.tenantId}$`, 'm'));
    const { items } = JSON.parse((await command(['list', '--json'])).stdout);
    assert.equal(items.find(({ slug }) => slug === 'main-street').plan, 'enterprise');
    const made = JSON.parse((await command(['set-limit', 'plan-listed', 'vms', '11', '--reason', 'one more', '--json'])).stdout);
    assert.deepEqual([made.id, made.overrides[0].name, made.overrides[0].value, made.overrides[0].reason], [guest.tenantId, 'vms', 11, 'one more']);
    assert.match((await command(['list', 'plan-listed'])).stdout, /limit {4}vms 11, by .*\(uid \d+\): one more/);
    const cases = [
        [['set-plan', 'plan-listed', 'gold', '--reason', 'x'], 1, /no plan "gold"; there are free, pro, team, enterprise/],
        [['set-plan', 'plan-listed', 'pro', '--plan-version', '9', '--reason', 'x'], 1, /no such version of the plan pro; the newest is 1/],
        [['set-plan', 'nowhere', 'pro', '--reason', 'x'], 1, /No tenant has the slug or id "nowhere"/],
        [['set-limit', 'plan-listed', 'disks', '1', '--reason', 'x'], 1, /no limit "disks"; there are members, vms, keys/],
        [['set-limit', 'plan-listed', 'vms', 'many', '--reason', 'x'], 1, /"many" is no whole number/],
        [['set-limit', 'plan-listed', 'vms', '1', '--reason', 'x', '--expires', 'tomorrow'], 1, /--expires is no instant of RFC 3339/],
        [['set-limit', 'plan-listed', 'vms', '1', '--reason', 'x', '--expires', '2001-01-01T00:00:00Z'], 1, /would have expired already/],
        [['suspend', 'plan-listed', '--reason', ''], 1, /reason has to be one line/],
        [['suspend', 'plan-listed'], 2, /--reason is required/],
        [[], 2, /subcommand is required/],
    ];
    for (const [words, code, sentence] of cases) {
        const done = await command(words);
        assert.equal(done.code, code, `${words}: ${done.stdout}${done.stderr}`);
        assert.match(done.stderr, sentence);
    }
    if (!isPostgres) await controlPlane.serve();
    assert.equal((await planOf(guest)).plan, 'free', 'and nothing was changed');
});

test('synapsexctl shows plan and limits', async () => {
    const cli = new Cli(controlPlane);
    assert.equal((await cli.login(controlPlane.credentials)).code, 0);
    const shown = await cli.run(['tenants', 'plan']);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /Plan +enterprise, version 1/);
    assert.match(shown.stdout, /vms +unlimited/);
    assert.equal(JSON.parse((await cli.run(['tenants', 'plan', '--json'])).stdout).plan, 'enterprise');
    assert.match((await cli.run(['tenants', 'plans'])).stdout, /free +5 +10 +5 +300 +100,000 +100,000/);
});

test('--default-plan says what users\' tenants get, and an unknown one stops the start', async () => {
    await controlPlane.stop();
    const settings = controlPlane.settings;
    controlPlane.settings = [...settings, '--default-plan', 'team'];
    await controlPlane.serve();
    assert.equal((await planOf(await controlPlane.register('plan-team'))).plan, 'team');
    await controlPlane.stop();
    controlPlane.settings = [...settings, '--default-plan', 'gold'];
    const refused = await controlPlane.run(['serve', ...controlPlane.flags]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /default-plan.*is none of free, pro, team, enterprise/s);
    controlPlane.settings = settings;
});
