// Enrollment tokens: who may use them, how often, how long; and enrolling is safe to repeat.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { eventually } from '../support/processes.mjs';

let controlPlane;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
});
after(async () => { await controlPlane?.stop(); });

const fresh = () => new JsonAgent(controlPlane, {});

test('by default a token admits one agent for one hour', async () => {
    const token = await controlPlane.enrollmentToken({ name: 'one' });
    assert.match(token.token, /^sxe_/);
    assert.equal(token.usesMax, 1);
    assert.equal(Date.parse(token.expiresAt) - Date.parse(token.createdAt), 3600_000);
    assert.equal((await fresh().enroll(token.token)).status, 201);
    assertProblem(await fresh().enroll(token.token), 401, 'enrollment.token_used');
});

test('a token with more uses admits that many, also when they all come at once', async () => {
    const { token, id } = await controlPlane.enrollmentToken({ uses: 5 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => fresh().enroll(token)));
    assert.equal(answers.filter((answer) => answer.status === 201).length, 5);
    for (const answer of answers.filter((refused) => refused.status !== 201))
        assertProblem(answer, 401, 'enrollment.token_used');
    assert.equal(new Set(answers.filter((answer) => answer.status === 201).map((answer) => answer.json.vmId)).size, 5);
    const { items } = await controlPlane.must('GET', '/v1/agents/enrollment-tokens?limit=100');
    assert.equal(items.find((item) => item.id === id).uses, 5);
    assert.ok(!('token' in items[0]), 'the secret is shown once');
});

test('enrolling again with the same token and key answers the same agent', async () => {
    const { token } = await controlPlane.enrollmentToken();
    const agent = fresh();
    const first = (await agent.enroll(token)).json;
    const second = await agent.enroll(token);
    assert.equal(second.status, 201, second.text);
    assert.equal(second.json.agentId, first.agentId);
    assert.equal(second.json.vmId, first.vmId);
});

test('a revoked token is refused, and its agents stay', async () => {
    const { token, id } = await controlPlane.enrollmentToken({ uses: 2 });
    const agent = fresh();
    await agent.enroll(token);
    const gone = await controlPlane.delete(`/v1/agents/enrollment-tokens/${id}`, { as: controlPlane.owner });
    assert.equal(gone.status, 204, gone.text);
    assertProblem(await fresh().enroll(token), 401, 'enrollment.token_revoked');
    await agent.signIn();
    assert.equal((await agent.heartbeat()).status, 200);
});

test('an expired token is refused', async () => {
    // A token lives a minute at least; its end is brought forward where it is kept.
    const { token, id } = await controlPlane.enrollmentToken({ ttlSeconds: 60 });
    await controlPlane.stop();
    const past = Date.now() * 1000 - 1_000_000;
    controlPlane.database.run(
        `UPDATE agent_registry_enrollment_tokens SET expires_at = ${past} WHERE token_id = '${id}'`,
    );
    await controlPlane.serve();
    assertProblem(await fresh().enroll(token), 401, 'enrollment.token_expired');
});

test('what is no token of this server is refused, whatever is wrong with it', async () => {
    const { token } = await controlPlane.enrollmentToken();
    const other = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
    for (const wrong of ['x', 'sxe_', 'sxe_abc.def', other, `${token}x`, token.toUpperCase(), 'sk_sx_whatever'])
        assertProblem(await fresh().enroll(wrong), 401, 'enrollment.token_invalid');
    assertProblem(await fresh().enroll(''), 400);
});

test('a token of another tenant is refused where the agent names its tenant', async () => {
    const stranger = await controlPlane.register('stranger');
    const { token } = await controlPlane.enrollmentToken({}, { as: stranger });
    assertProblem(
        await fresh().enroll(token, { tenantId: controlPlane.owner.tenantId }), 401, 'enrollment.token_of_other_tenant',
    );
    const agent = fresh();
    assert.equal((await agent.enroll(token, { tenantId: stranger.tenantId })).status, 201);
    assertProblem(await controlPlane.get(`/v1/vms/${agent.vmId}`, { as: controlPlane.owner }), 404);
});

test('a key that is none is refused by pointer', async () => {
    const { token } = await controlPlane.enrollmentToken();
    const short = assertProblem(await fresh().enroll(token, { publicKey: 'AAAA' }), 400);
    assert.equal(short.errors[0].pointer, '/publicKey');
    const odd = assertProblem(await fresh().enroll(token, { publicKey: '!'.repeat(43) }), 400, 'enrollment.key_invalid');
    assert.equal(odd.errors[0].pointer, '/publicKey');
});

test('a removed agent is out: its token, its heartbeat and its enrollment', async () => {
    const { token } = await controlPlane.enrollmentToken();
    const agent = fresh();
    await agent.enroll(token);
    await agent.signIn();
    const removed = await controlPlane.delete(`/v1/agents/${agent.agentId}`, { as: controlPlane.owner });
    assert.deepEqual(removed.json, { success: true });
    assertProblem(await agent.heartbeat(), 401);
    assertProblem(await agent.exchange(agent.assertion()), 401, 'auth.agent_revoked');
    assertProblem(await agent.enroll(token), 401, 'enrollment.agent_removed');
    assertProblem(await controlPlane.get(`/v1/vms/${agent.vmId}`, { as: controlPlane.owner }), 404);
});

test('the real agent says why it may not enroll, and enrolls when it gets a good token', async () => {
    const agent = new Agent(controlPlane, { name: 'late-guest' });
    agent.giveToken(`sxe_${'0'.repeat(26)}.${'a'.repeat(32)}`);
    agent.runBare();
    await eventually('the agent says why', () =>
        agent.process.logLines.find((line) => JSON.stringify(line).includes('enrollment.token_invalid')), { within: 30_000 });
    if (agent.process.isRunning) await agent.process.end();
    agent.giveToken((await controlPlane.enrollmentToken()).token);
    agent.supervise();
    await agent.online();
    await agent.stop();
});
