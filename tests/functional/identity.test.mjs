// Who an agent is, under stress: its key is replaced while answers are lost and processes are killed,
// the control plane or the VM comes back from an older state, and a removed agent is out at once.

import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { cpSync, existsSync, linkSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { Cli } from '../support/command_line.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { numberedMessages } from '../support/outbox.mjs';
import { eventually, freePort, temporaryFolder } from '../support/processes.mjs';

let controlPlane;
let cli;
before(async () => {
    controlPlane = await ControlPlane.start();
    cli = new Cli(controlPlane);
    await cli.login(controlPlane.credentials);
});
after(async () => { await controlPlane?.stop(); });

const makeKey = () => generateKeyPairSync('ed25519').privateKey;
const publicOf = (key) => createPublicKey(key).export({ format: 'jwk' }).x;
const pemOf = (key) => key.export({ type: 'pkcs8', format: 'pem' });
const shownKey = async (agent, plane = controlPlane) => (await plane.must('GET', `/v1/agents/${agent.agentId}`)).key;

// What an agent sends to replace its key `from` by `to`, whose id at the moment the record shows.
async function offer(agent, from, to, { id, issuer = agent.issuer } = {}) {
    const formerKeyId = id ?? (await shownKey(agent)).id;
    const publicKey = publicOf(to);
    const text = Buffer.from(['synapsex-agent-key-v1', agent.agentId, issuer, formerKeyId, publicKey, ''].join('\n'));
    const by = (key) => sign(null, text, key).toString('base64url');
    return { publicKey, formerKeyId, signature: by(from), proof: by(to) };
}
const putKey = (agent, body) => agent.controlPlane.put(`/v1/agents/${agent.agentId}/key`, body, { as: agent });
const exchangeWith = (agent, key) => agent.exchange(agent.assertion({ key }));

// The real agent's files, as somebody who can read them has them.
const keyFile = (agent, name = 'agent.key') => join(agent.dataDir, name);
const keyIn = (agent, name) => createPrivateKey(readFileSync(keyFile(agent, name)));
function asJson(agent, plane = controlPlane) {
    const json = new JsonAgent(plane);
    const { agentId, vmId, tenantId, issuer } = JSON.parse(readFileSync(join(agent.dataDir, 'identity.json'), 'utf8'));
    return Object.assign(json, { agentId, vmId, tenantId, issuer, privateKey: keyIn(agent) });
}
const untilKey = (agent, id) => eventually('the agent has the key', async () => {
    const { worker } = await agent.status();
    if (worker?.keyId === id && worker.lastProblem === '') return true;
    await nudge(agent);
    return false;
}, { within: 90_000, every: 300 });
// A heartbeat is held for a minute; who watches its VM has it answered at once.
const nudge = (agent) => agent.controlPlane.must('POST', `/v1/vms/${agent.vm.id}/watch`, { seconds: 60 });
const untilOther = (agent, first, plane = controlPlane) => eventually('there is another key', async () => {
    const key = await shownKey(asJson(agent, plane), plane);
    if (key.id !== first.id) return key;
    await nudge(agent);
    return false;
}, { within: 90_000, every: 300 });

test('an operator has an agent replace its key, and the former one is worth nothing', async () => {
    const agent = await Agent.start(controlPlane, { name: 'web-1' });
    const thief = asJson(agent);
    await thief.signIn();
    const first = await shownKey(thief);
    const done = await cli.run(['agents', 'rotate-key', 'web-1']);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, new RegExp(`web-1 replaces its key ${first.id} with its next heartbeat`));
    const second = await untilOther(agent, first);
    assert.deepEqual([second.nextId, second.wantedAt], [null, null]);
    assert.ok(second.since > first.since);
    assertProblem(await thief.heartbeat(), 401, 'auth.credential_revoked');
    assertProblem(await thief.exchange(thief.assertion()), 401, 'auth.key_replaced');
    await untilKey(agent, second.id);
    assert.equal(existsSync(keyFile(agent, 'agent.key.next')), false);
    assert.equal(publicOf(keyIn(agent, 'agent.key.former')), publicOf(thief.privateKey));
    assert.match((await cli.run(['agents', 'get', 'web-1'])).stdout, new RegExp(`Key\\s+${second.id} since`));
    assert.equal((await agent.find()).id, agent.vm.id, 'it is the same VM');
    const rows = await eventually('the outbox is numbered', () => {
        const kinds = numberedMessages(controlPlane.database).filter(({ subject }) => subject === thief.agentId).map(({ type }) => type);
        return kinds.includes('agent.key_replaced') && kinds;
    });
    assert.deepEqual(rows.filter((type) => type.startsWith('agent.key_')), ['agent.key_wanted', 'agent.key_registered', 'agent.key_replaced']);
    await agent.stop();
    agent.supervise();
    await untilKey(agent, second.id);
    await agent.stop();
});

test('an agent that does not know how is not asked, and the operator is told', async () => {
    const agent = await JsonAgent.start(controlPlane, { name: 'old-1' });
    await agent.heartbeat({ capabilities: [1, 2, 3] });
    await eventually('its capabilities are known', async () => (await controlPlane.must('GET', `/v1/agents/${agent.agentId}`)).capabilities.length === 3);
    const done = await cli.run(['agents', 'rotate-key', 'old-1']);
    assert.equal(done.code, 6, done.stderr);
    assert.match(done.stderr, /version 0\.0\.1\) has not said that it can replace its key: update it/);
    assertProblem(await controlPlane.post(`/v1/agents/${agent.agentId}/rotate-key`, {}, { as: controlPlane.owner }), 409, 'agents.capability_missing');
    assertProblem(await controlPlane.post('/v1/agents/agt_01arz3ndektsv4rrffq69g5fav/rotate-key', {}, { as: controlPlane.owner }), 404, 'agents.not_found');
});

test('an answer that is lost is asked for again; both keys count until the next one is used', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const next = makeKey();
    const body = await offer(agent, agent.privateKey, next);
    const first = await putKey(agent, body);
    assert.equal(first.status, 200, first.text);
    const again = await putKey(agent, body);
    assert.deepEqual(again.json, first.json);
    assert.ok(Date.parse(first.json.formerKeyUntil) - Date.now() <= 24 * 3600_000);
    assert.equal((await shownKey(agent)).nextId, first.json.keyId);
    assert.equal((await exchangeWith(agent, agent.privateKey)).status, 200);
    assert.equal((await exchangeWith(agent, next)).status, 200);
    assertProblem(await exchangeWith(agent, agent.privateKey), 401, 'auth.key_replaced');
    assertProblem(await agent.heartbeat(), 401, 'auth.credential_revoked');
    agent.privateKey = next;
    await agent.signIn();
    assert.equal((await agent.heartbeat()).status, 200);
    assert.equal((await shownKey(agent)).id, first.json.keyId);
    assertProblem(await putKey(agent, body), 409, 'agents.key_not_current');
});

test('neither an access token alone nor a public key of somebody else\'s will do', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const other = await JsonAgent.start(controlPlane);
    const [next, thief] = [makeKey(), makeKey()];
    const good = await offer(agent, agent.privateKey, next);
    const stolen = await offer(agent, thief, next);
    assertProblem(await putKey(agent, { ...good, signature: stolen.signature }), 422, 'agents.key_unproved');
    assertProblem(await putKey(agent, { ...good, proof: good.signature }), 422, 'agents.key_unproved');
    assertProblem(await putKey(agent, await offer(agent, agent.privateKey, next, { issuer: 'https://other.example' })), 422, 'agents.key_unproved');
    assertProblem(await putKey(agent, { ...good, formerKeyId: 'AAAAAAAAAAAAAAAA' }), 409, 'agents.key_not_current');
    assertProblem(await putKey(agent, { ...good, publicKey: '!'.repeat(43) }), 400, 'agents.key_invalid');
    assertProblem(await putKey(agent, { ...good, proof: 'short' }), 400, 'request.invalid');
    assertProblem(await putKey(agent, {}), 400, 'request.invalid');
    assertProblem(await controlPlane.put(`/v1/agents/${agent.agentId}/key`, good, { as: other }), 404, 'agents.not_found');
    assertProblem(await controlPlane.put(`/v1/agents/${agent.agentId}/key`, good, { as: controlPlane.owner }), 403, 'auth.wrong_kind_of_caller');
    assert.equal((await shownKey(agent)).nextId, null);
});

test('an agent that is killed between any two steps has a key that counts', async (t) => {
    const agent = await Agent.start(controlPlane, { name: 'killed' });
    const kill = async () => {
        agent.process.kill('SIGKILL');
        await agent.process.exited;
        await eventually('its processes are gone', () => !agent.pidOf('worker'));
    };
    // Each makes what such a kill leaves behind; the next key is there in any case.
    const steps = {
        'the next key is made': async () => {},
        'it is registered': async (json, next) => {
            assert.equal((await putKey(json, await offer(json, json.privateKey, next))).status, 200);
        },
        'it is used, and agent.key is the former one yet': async (json, next) => {
            assert.equal((await putKey(json, await offer(json, json.privateKey, next))).status, 200);
            assert.equal((await exchangeWith(json, next)).status, 200);
        },
        'the former key has its name, and the next one has not yet': async (json, next) => {
            assert.equal((await putKey(json, await offer(json, json.privateKey, next))).status, 200);
            assert.equal((await exchangeWith(json, next)).status, 200);
            linkSync(keyFile(agent), keyFile(agent, 'agent.key.former.new'));
        },
    };
    for (const [step, leave] of Object.entries(steps))
        await t.test(step, async () => {
            await kill();
            const json = asJson(agent);
            await json.signIn();
            const next = makeKey();
            writeFileSync(keyFile(agent, 'agent.key.next'), pemOf(next), { mode: 0o600 });
            await leave(json, next);
            agent.supervise();
            await eventually('the next key is the key', async () => {
                const { id, nextId } = await shownKey(json);
                return nextId === null && (await agent.status()).worker?.keyId === id && publicOf(keyIn(agent)) === publicOf(next);
            }, { within: 90_000 });
            assert.equal(publicOf(keyIn(agent, 'agent.key.former')), publicOf(json.privateKey));
            assert.equal((await agent.find()).id, agent.vm.id);
        });
    await agent.stop();
});

test('a control plane that is killed while keys are replaced leaves agents that authenticate', async () => {
    const agent = await JsonAgent.start(controlPlane);
    for (let round = 0; round < 6; ++round) {
        const next = makeKey();
        const body = await offer(agent, agent.privateKey, next);
        const asked = (round % 2 === 0 ? putKey(agent, body) : (await putKey(agent, body), exchangeWith(agent, next))).catch(() => {});
        await new Promise((done) => { setTimeout(done, round * 2); });
        await controlPlane.killHard();
        await asked;
        await controlPlane.restart();
        // As an agent does: the key that is registered last, or else the one before.
        const taken = await exchangeWith(agent, next);
        if (taken.status === 200) agent.privateKey = next;
        else assertProblem(taken, 401, 'auth.assertion_bad_signature');
        await agent.signIn();
        assert.equal((await agent.heartbeat()).status, 200);
    }
});

test('a control plane that comes back from before the replacement is told again', async () => {
    const plane = await ControlPlane.start();
    const agent = await Agent.start(plane, { name: 'restored' });
    const json = asJson(agent, plane);
    const first = await shownKey(json, plane);
    const [file, passphrase] = ['backup', 'passphrase'].map((name) => join(temporaryFolder(), name));
    writeFileSync(passphrase, 'a long passphrase for a test\n', { mode: 0o600 });
    const backup = await plane.run(['backup', ...plane.flags, '--to', file, '--passphrase-file', passphrase], { within: 120_000 });
    assert.equal(backup.code, 0, backup.stderr);
    await eventually('the agent can replace its key', async () => (await plane.must('GET', `/v1/agents/${json.agentId}`)).capabilities.includes(5));
    await plane.must('POST', `/v1/agents/${json.agentId}/rotate-key`, {});
    const second = await untilOther(agent, first, plane);
    await untilKey(agent, second.id);
    await plane.stop();
    const restore = await plane.run(['restore', file, ...plane.flags, '--passphrase-file', passphrase, '--replace'], { within: 120_000 });
    assert.equal(restore.code, 0, restore.stderr);
    await plane.serve();
    plane.owner = await plane.signIn(plane.credentials);
    assert.equal((await shownKey(json, plane)).id, first.id);
    assert.equal((await untilOther(agent, first, plane)).id, second.id, 'by the same one again');
    await untilKey(agent, second.id);
    assert.equal((await agent.find()).id, agent.vm.id);
    await agent.stop();
    await plane.stop();
});

test('a VM that was put back to a key that was replaced says so, and enrolls again with a token alone', async () => {
    const agent = await Agent.start(controlPlane, { name: 'put-back' });
    await agent.stop();
    const json = asJson(agent);
    await json.signIn();
    const next = makeKey();
    assert.equal((await putKey(json, await offer(json, json.privateKey, next))).status, 200);
    assert.equal((await exchangeWith(json, next)).status, 200);
    agent.supervise();
    const { worker } = await eventually('it says why', async () => {
        const status = await agent.status();
        return status.worker?.lastProblem === 'auth.key_replaced' && status.worker.asksAgainAt && status;
    }, { within: 60_000 });
    assert.match(worker.lastProblemDetail, /put back to an earlier state, give it a new enrollment token/);
    assert.ok(Date.parse(worker.asksAgainAt) - Date.now() > 10 * 60_000, worker.asksAgainAt);
    await agent.stop();
    agent.giveToken((await controlPlane.enrollmentToken()).token);
    agent.supervise();
    await eventually('it is somebody new', () => asJson(agent).agentId !== json.agentId, { within: 60_000 });
    await eventually('it is connected', async () => (await agent.status()).worker?.connected);
    assert.notEqual(publicOf(keyIn(agent)), publicOf(json.privateKey), 'the key that was replaced is not used again');
    await agent.stop();
});

test('a removed agent is out at once: its held poll, its tokens, its key', async () => {
    const agent = await JsonAgent.start(controlPlane);
    assert.equal((await agent.heartbeat()).status, 200);
    const held = agent.heartbeat({ holdSeconds: 50 });
    await eventually('it is parked', async () => /^synapsex_agents_parked 1$/m.test((await controlPlane.get('/metrics')).text));
    const removed = Date.now();
    await controlPlane.must('DELETE', `/v1/agents/${agent.agentId}`);
    assertProblem(await held, 401, 'auth.agent_revoked');
    assert.ok(Date.now() - removed < 5000, `${Date.now() - removed} ms`);
    assertProblem(await agent.heartbeat(), 401, 'auth.agent_revoked');
    assertProblem(await putKey(agent, await offer(agent, agent.privateKey, makeKey(), { id: 'AAAAAAAAAAAAAAAA' })), 401, 'auth.agent_revoked');
    assertProblem(await agent.exchange(agent.assertion()), 401, 'auth.agent_revoked');
});

test('the real agent of a removed VM falls silent, and its status says until when and what to do', async () => {
    const agent = await Agent.start(controlPlane, { name: 'removed' });
    await controlPlane.must('DELETE', `/v1/agents/${asJson(agent).agentId}`);
    const { worker } = await eventually('it says that it is revoked', async () => {
        const status = await agent.status();
        return status.worker?.lastProblem === 'auth.agent_revoked' && status.worker.asksAgainAt && status;
    });
    assert.equal(worker.connected, false);
    assert.match(worker.lastProblemDetail, /give it a new enrollment token\./);
    const silence = Date.parse(worker.asksAgainAt) - Date.now();
    assert.ok(silence > 11 * 60_000 && silence <= 18 * 60_000, `${silence} ms`);

    // Nobody has to start it again once there is a token.
    const pid = agent.pidOf('worker');
    const former = asJson(agent).agentId;
    agent.giveToken(`sxe_${'0'.repeat(26)}.${'a'.repeat(32)}`);
    await eventually('a token that is none is refused, and said', () =>
        agent.process.logLines.find((line) => line.level === 'error' && /enrollment\.token_invalid/.test(JSON.stringify(line))), { within: 60_000 });
    assert.equal(asJson(agent).agentId, former);
    agent.giveToken((await controlPlane.enrollmentToken()).token);
    await eventually('it is somebody new', () => asJson(agent).agentId !== former, { within: 60_000 });
    await eventually('it is connected', async () => (await agent.status()).worker?.connected);
    assert.equal(agent.pidOf('worker'), pid, 'by the worker that ran');
    assert.ok(!existsSync(agent.tokenFile), 'the token is used up');
    assert.equal((await agent.find()).state, 'online');
    await agent.stop();
});

test('on the other replica a removal and a replaced key count as soon', { skip: !isPostgres && 'a SQLite file has one process' }, async () => {
    const first = await ControlPlane.start();
    const second = new ControlPlane({ settings: first.settings, folder: temporaryFolder(), env: {}, port: await freePort() });
    cpSync(first.dataDir, second.dataDir, { recursive: true });
    for (const replica of [first, second]) replica.settings = [...first.database.flags, '--public-url', first.url];
    await first.restart();
    await second.serve();
    const [removed, replaced] = [await JsonAgent.start(first), await JsonAgent.start(first)];
    for (const agent of [removed, replaced]) {
        agent.controlPlane = second;
        assert.equal((await agent.heartbeat({ capabilities: [1, 5] })).status, 200);
    }
    const held = removed.heartbeat({ holdSeconds: 50 });
    await eventually('it is parked', async () => /^synapsex_agents_parked 1$/m.test((await second.get('/metrics')).text));
    const since = Date.now();
    await first.must('DELETE', `/v1/agents/${removed.agentId}`);
    assertProblem(await held, 401, 'auth.agent_revoked');
    assert.ok(Date.now() - since < 5000);
    assertProblem(await removed.heartbeat(), 401, 'auth.agent_revoked');

    const asked = replaced.heartbeat({ holdSeconds: 50, capabilities: [1, 5] });
    await eventually('it is parked', async () => /^synapsex_agents_parked 1$/m.test((await second.get('/metrics')).text));
    await eventually('its capabilities are written', async () => (await first.must('GET', `/v1/agents/${replaced.agentId}`)).capabilities.includes(5));
    await first.must('POST', `/v1/agents/${replaced.agentId}/rotate-key`, {});
    assert.equal((await asked).json.rotateKey, true);
    const next = makeKey();
    const { id } = await shownKey(replaced, first);
    assert.equal((await putKey(replaced, await offer(replaced, replaced.privateKey, next, { id }))).status, 200);
    replaced.controlPlane = first;
    assert.equal((await exchangeWith(replaced, next)).status, 200);
    replaced.controlPlane = second;
    await eventually('the former key\'s token is refused', async () => (await replaced.heartbeat()).status === 401, { within: 6000 });
    assertProblem(await replaced.heartbeat(), 401, 'auth.credential_revoked');
    await second.stop();
    await first.stop();
});
