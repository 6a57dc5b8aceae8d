// Two control planes on one PostgreSQL. Clients and agents go to either, and to the other one when
// it does not answer; meanwhile one at random is stopped by signal, sometimes past its leases, and
// goes on later as if nothing had been, or it is killed. What was answered has happened once.
//
// SYNAPSEX_TEST_SEED gives the order of things again; SYNAPSEX_LONG=1 makes it two minutes.

import assert from 'node:assert/strict';
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { JsonAgent, kSlotSeconds, slotOf } from '../support/json_agent.mjs';
import { numberedMessages, postedMessages } from '../support/outbox.mjs';
import { eventually, freePort, isLong, temporaryFolder, throughout } from '../support/processes.mjs';

const skip = !isPostgres && 'a SQLite file has one process';
const lasts = isLong ? 120_000 : 20_000;
const stoppedMax = isLong ? 35_000 : 6_000;
const seed = Number(process.env.SYNAPSEX_TEST_SEED ?? randomInt(2 ** 31));

// mulberry32; what runs concurrently takes from it as it comes, so a seed repeats the plan and not
// the interleaving.
let state = seed;
function random() {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const between = (least, most) => least + Math.floor(random() * (most - least + 1));
const chance = (p) => random() < p;
const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

let replicas;
let owner;
let database;
const either = () => replicas[between(0, 1)];
const other = (replica) => replicas[1 - replicas.indexOf(replica)];

before(async () => {
    if (skip) return;
    const first = await ControlPlane.start({ settings: ['--open-registration', 'true'] });
    ({ owner, database } = first);
    const second = new ControlPlane({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    cpSync(first.dataDir, second.dataDir, { recursive: true });
    replicas = [first, second];
    const [, url] = database.flags;
    replicas.forEach((replica, i) => {
        // By its name it is known in the database who did what.
        replica.settings = ['--open-registration', 'true', '--public-url', first.url, '--database-url', `${url}?application_name=replica_${i}`];
        replica.owner = owner;
    });
    await first.restart();
    await second.serve();
});
after(async () => {
    for (const replica of replicas ?? []) {
        replica.process.kill('SIGCONT');
        if (replica.process.isRunning) await replica.stop();
    }
});

// --- clients that do not give up ---

const isToRetry = ({ status, json }) => status >= 500 || json?.code === 'idempotency_key.in_flight';

// The answer in the end: asked again at the other replica whenever there is none. Now and then the
// client itself hangs up, and never learns what became of its request.
async function settled(method, path, options = {}) {
    const deadline = Date.now() + 90_000;
    for (let replica = either(), tries = 1;; ++tries, replica = other(replica)) {
        const signal = chance(0.1) ? AbortSignal.timeout(between(1, 60)) : undefined;
        const answer = await replica.call(method, path, { within: 2500, signal, ...options }).catch(() => undefined);
        if (answer && !isToRetry(answer)) return { ...answer, tries };
        if (Date.now() > deadline) throw new Error(`${method} ${path}: no answer in ${tries} tries, the last ${answer?.text}`);
        await pause(between(20, 200));
    }
}

// What was acknowledged: "type subject" -> how often.
const acknowledged = new Map();
function acknowledge(type, subject) {
    const what = `${type} ${subject}`;
    acknowledged.set(what, (acknowledged.get(what) ?? 0) + 1);
}

// With a key of its own, and some time later once more: the same answer.
async function once(method, path, body, options = {}) {
    const headers = { 'idempotency-key': randomUUID() };
    const send = () => settled(method, path, { as: owner, body, ...options, headers });
    const answer = await send();
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    if (chance(0.2)) {
        const again = await send();
        assert.equal(again.text, answer.text);
        assert.equal(again.headers['idempotent-replayed'], 'true');
    }
    return answer.json;
}
// DELETE says by itself what is left to do. `gone`: what it says if an earlier try did it.
async function remove(path, gone, options = {}) {
    const answer = await settled('DELETE', path, { as: owner, ...options });
    assert.ok(answer.status < 300 || (answer.tries > 1 && answer.status === gone), `${path}: ${answer.status} ${answer.text}`);
    return answer.tries;
}

// --- what clients do, until it is over ---

let isOver = false;
async function repeatedly(work) {
    for (let n = 0; !isOver; ++n) {
        await work(n);
        await pause(between(5, 100));
    }
}

const tenants = new Map();  // id -> name
async function makeAndRenameTenants(n) {
    const { id } = await once('POST', '/v1/tenants', { name: `Tenant ${n}` });
    acknowledge('tenant.created', id);
    for (let i = between(1, 3); i > 0; --i) {
        tenants.set(id, `Tenant ${n}, ${randomUUID()}`);
        const renamed = await once('PATCH', `/v1/tenants/${id}`, { name: tenants.get(id) }, { tenant: id });
        assert.equal(renamed.name, tenants.get(id));
        acknowledge('tenant.updated', id);
    }
}

const keyIds = new Set();
const revocations = [];  // [when it was answered, what a replica answers now]
async function makeAndRevokeKeys(n) {
    const { id, key } = await once('POST', '/v1/auth/keys', { name: `key ${n}` });
    acknowledge('api_key.created', id);
    assert.equal((await settled('GET', '/v1/auth/me', { as: key })).status, 200, 'it counts at both at once');
    if (chance(0.3)) return keyIds.add(id);
    await remove(`/v1/auth/keys/${id}`, 404);
    acknowledge('api_key.revoked', id);
    return revocations.push([Date.now(), (replica) => replica.get('/v1/auth/me', { as: key, within: 2500 })]);
}
async function enrollAndRemoveAgents(n) {
    const agent = new WanderingAgent(`briefly-${n}`);
    await agent.join();
    await agent.beat();
    await remove(`/v1/agents/${agent.agentId}`, 404);
    acknowledge('agent.removed', agent.agentId);
    revocations.push([Date.now(), (replica) => Object.assign(Object.create(agent), { controlPlane: replica }).heartbeat({}, { within: 2500 })]);
    await pause(1000);
}
// Both replicas remember who a credential is, for five seconds.
async function useWhatIsRevoked() {
    const old = revocations.findIndex(([at]) => Date.now() - at > 5_100);
    if (old < 0) return;
    const [[, use]] = revocations.splice(old, 1);
    for (const replica of replicas) {
        const answer = await use(replica).catch(() => undefined);
        if (!answer || answer.status >= 500) continue;
        assertProblem(answer, 401);
        ++happened['revocations seen'];
    }
}

const tokens = new Set();
async function makeOneTokenInACrowd(n) {
    const options = { as: owner, body: { name: `crowd ${n}` }, headers: { 'idempotency-key': randomUUID() } };
    const answers = await Promise.all(Array.from({ length: 32 }, () => settled('POST', '/v1/agents/enrollment-tokens', options)));
    for (const answer of answers) {
        assert.equal(answer.status, 201, answer.text);
        assert.equal(answer.text, answers[0].text);
    }
    assert.ok(answers.filter(({ headers }) => !headers['idempotent-replayed']).length <= 1, 'one made it');
    tokens.add(`crowd ${n} ${answers[0].json.id}`);
    acknowledge('enrollment_token.created', answers[0].json.id);
    await pause(500);
}

const roles = ['viewer', 'operator', 'admin'];
const members = new Map();  // user -> role
async function addAndRemove(user) {
    const path = `/v1/tenants/${owner.tenantId}/members`;
    let role = roles[between(0, 2)];
    await once('POST', path, { userId: user.id, role });
    acknowledge('member.added', user.id);
    members.set(user.id, role);
    role = roles[(roles.indexOf(role) + 1) % 3];
    await once('PATCH', `${path}/${user.id}`, { role });
    acknowledge('member.updated', user.id);
    members.set(user.id, role);
    if (isOver) return;
    const tries = await remove(`${path}/${user.id}`, 404);
    acknowledge('member.removed', user.id);
    members.delete(user.id);
    if (tries === 1) return;
    // An earlier try may still lie before a replica that is stopped. A DELETE has no key: it would
    // remove whoever is added again.
    await eventually('no replica is stopped', () => !isOneStopped, { within: 120_000 });
    await pause(2000);
}

// An agent has its connection to the fleet, not to one replica.
const fleet = {
    call: settled,
    post: (path, body, options) => settled('POST', path, { body, ...options }),
};
class WanderingAgent extends JsonAgent {
    constructor(n) {
        super(fleet, { name: `wandering-${n}` });
        this.vmState = (replica) => replica.must('GET', `/v1/vms/${this.vmId}`).then(({ state: shown }) => shown);
        this.next = this.first = slotOf(Date.now()) - 1000;
        this.unstored = [];
    }
    async join() {
        const { id, token } = await once('POST', '/v1/agents/enrollment-tokens', { name: this.name });
        acknowledge('enrollment_token.created', id);
        const answer = await this.enroll(token);
        assert.equal(answer.status, 201, answer.text);
        acknowledge('agent.enrolled', this.agentId);
        await eventually(`${this.name} has a token`, async () => {
            await this.signIn();  // an assertion works once, also where its answer was lost
            return true;
        }, { within: 60_000 });
    }
    async beat() {
        for (let i = between(1, 4); i > 0; --i) this.unstored.push(this.next++);
        const telemetry = this.unstored.map((slot) => this.sample(slot, { processes: slot % 1000 }));
        const answer = await this.heartbeat({ telemetry, holdSeconds: between(0, 1) }, { within: 4000 });
        assert.equal(answer.status, 200, answer.text);
        // Also after a lost answer: what comes twice stays as it was.
        if (chance(0.8)) this.unstored = this.unstored.filter((slot) => slot > answer.json.storedThroughSlot);
    }
    async storedSlots() {
        const points = [];
        let cursor = '';
        do {
            const from = new Date(this.first * kSlotSeconds * 1000).toISOString();
            const page = await replicas[0].must('GET', `/v1/vms/${this.vmId}/telemetry?from=${from}&limit=1000${cursor && `&cursor=${cursor}`}`);
            points.push(...page.items);
            cursor = page.nextCursor;
        } while (cursor);
        return points.map((point) => [Date.parse(point.at) / 1000 / kSlotSeconds, point.processes]);
    }
}

// --- what happens to the replicas ---

let isOneStopped = false;
function stop({ process }) {
    isOneStopped = true;
    process.kill('SIGSTOP');
    ++happened.stops;
}
function goOn({ process }) {
    process.kill('SIGCONT');
    isOneStopped = false;
}

// As if their time had passed by the database's clock: a short run does not wait for it.
const endLeases = () => database.run('UPDATE platform_leases SET expires_at = 1');

// The one that numbers messages, until the other one does.
async function stopPastItsLease() {
    const numbering = () => database.rows('SELECT replica FROM test_numbered ORDER BY through DESC LIMIT 1')[0]?.replica;
    const name = await eventually('messages are numbered', numbering, { within: 60_000 });
    const victim = replicas[Number(name.at(-1))];
    stop(victim);
    await pause(500);
    if (!isLong) endLeases();
    await eventually('the other one has the role', () => numbering() !== name, { within: 90_000, every: 250 });
    goOn(victim);
}

const happened = { stops: 0, 'leases ended': 0, kills: 0, 'revocations seen': 0 };
async function disturb() {
    const end = Date.now() + lasts;
    for (let n = 0; Date.now() < end; ++n) {
        await pause(between(300, 1500));
        if (n === 0) {
            await stopPastItsLease();
            continue;
        }
        const victim = either();
        if (n === 1 || chance(0.25)) {
            await victim.killHard();
            ++happened.kills;
            if (!isLong) endLeases();
            await pause(between(0, 1000));
            await victim.serve();
            continue;
        }
        const time = between(100, stoppedMax);
        stop(victim);
        await pause(time / 2);
        if (!isLong && chance(0.5)) {
            endLeases();
            ++happened['leases ended'];
        }
        await pause(time / 2);
        goOn(victim);
    }
}

// Who numbered what, under which token, as the database saw it.
function watchNumbering() {
    database.run(`
        CREATE TABLE test_numbered (through bigint, replica text, token bigint);
        CREATE FUNCTION test_note_numbers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            INSERT INTO test_numbered SELECT NEW.through, current_setting('application_name'), token
            FROM platform_leases WHERE name = 'platform.relay_outbox';
            RETURN NULL;
        END $$;
        CREATE TRIGGER test_numbering AFTER INSERT ON platform_outbox_numbered
            FOR EACH ROW EXECUTE FUNCTION test_note_numbers()`);
}

test('two replicas keep every promise while one at a time is stopped or killed', { skip }, async (t) => {
    t.diagnostic(`SYNAPSEX_TEST_SEED=${seed}`);
    const users = [await replicas[0].register('ada'), await replicas[1].register('bob')];
    watchNumbering();
    const leases = [];
    const watchLeases = async () => {
        leases.push(database.rows('SELECT name, holder, token FROM platform_leases'));
        await pause(500);
    };
    const agents = [];
    const wander = async (n) => {
        const agent = new WanderingAgent(n);
        await agent.join();
        agents.push(agent);
        await repeatedly(() => agent.beat());
    };
    const clients = [
        repeatedly(makeAndRenameTenants), repeatedly(makeAndRevokeKeys), repeatedly(useWhatIsRevoked),
        repeatedly(enrollAndRemoveAgents),
        repeatedly(makeOneTokenInACrowd), ...users.map((user) => repeatedly(() => addAndRemove(user))),
        repeatedly(watchLeases), ...[1, 2, 3].map(wander),
    ];
    // A client that fails tells of it at once, whatever happens to the replicas then.
    await Promise.race([disturb(), Promise.all(clients)]);
    isOver = true;
    await Promise.all(clients);
    t.diagnostic(`${[...acknowledged.values()].reduce((sum, n) => sum + n, 0)} changes acknowledged; ${JSON.stringify(happened)}`);
    if (!isLong) endLeases();
    await eventually('all messages have their number', () =>
        postedMessages(database).length === 0, { within: 90_000 });
    const messages = numberedMessages(database);

    await t.test('each acknowledged change has one message, and nothing else has', () => {
        const told = new Map();
        for (const { type, subject } of messages) told.set(`${type} ${subject}`, (told.get(`${type} ${subject}`) ?? 0) + 1);
        for (const what of told.keys()) if (/^user\.registered|^tenant\.created|^session\.created/.test(what) && !acknowledged.has(what)) told.delete(what);  // from before
        assert.deepEqual([...told].sort(), [...acknowledged].sort());
    });

    await t.test('numbers have no gap and the chain holds', () => {
        let before = '';
        messages.forEach((message, i) => {
            assert.equal(message.sequence, i + 1);
            assert.equal(message.prevHash, before, `message ${i + 1}`);
            before = createHash('sha256').update(message.line).digest('hex');
        });
        assert.deepEqual(database.rows('SELECT sequence, hash FROM platform_outbox_head'), [{ sequence: messages.length, hash: before }]);
    });

    await t.test('a role has one holder at a time, and who lost it does nothing more', () => {
        const numbered = database.rows('SELECT through, replica, token FROM test_numbered ORDER BY through');
        assert.deepEqual(new Set(numbered.map(({ replica }) => replica)), new Set(['replica_0', 'replica_1']), 'both had it');
        const holders = new Map();
        let last = 0;
        for (const { through, replica, token } of numbered) {
            assert.ok(token >= last, `message ${through} under token ${token} after ${last}`);
            last = token;
            assert.equal(holders.get(token) ?? replica, replica, `two did something under token ${token}`);
            holders.set(token, replica);
        }
        const seen = new Map();
        for (const { name, holder, token } of leases.flat()) {
            const had = seen.get(name) ?? { token: 0 };
            assert.ok(token > had.token || (token === had.token && holder === had.holder), `${name}: ${token} ${holder} after ${JSON.stringify(had)}`);
            seen.set(name, { holder, token });
        }
        t.diagnostic(`${numbered.length} steps numbered under ${holders.size} tokens`);
    });

    await t.test('/v1 shows at both what was acknowledged, once', async () => {
        for (const replica of replicas) {
            const all = async (path) => {
                const items = [];
                for (let cursor = ''; cursor !== null;) {
                    const page = await replica.must('GET', `${path}?limit=100${cursor && `&cursor=${cursor}`}`);
                    items.push(...page.items);
                    cursor = page.nextCursor;
                }
                return items;
            };
            const shown = (await all('/v1/tenants')).filter(({ id }) => id !== owner.tenantId);
            assert.deepEqual(shown.map(({ id, name }) => [id, name]).sort(), [...tenants].sort());
            const crowds = (await all('/v1/agents/enrollment-tokens')).filter(({ name }) => name.startsWith('crowd '));
            assert.deepEqual(crowds.map(({ name, id }) => `${name} ${id}`).sort(), [...tokens].sort());
            const belonging = (await all(`/v1/tenants/${owner.tenantId}/members`)).filter(({ userId }) => userId !== owner.id);
            assert.deepEqual(belonging.map(({ userId, role }) => [userId, role]).sort(), [...members].sort());
            const keys = await all('/v1/auth/keys');
            assert.deepEqual(keys.filter((key) => !key.revokedAt).map(({ id }) => id).sort(), [...keyIds].sort());
        }
    });

    await t.test('each slot of telemetry is there once, in order, as it was sent first', async () => {
        for (const agent of agents) {
            await agent.beat();
            const expected = Array.from({ length: agent.next - agent.first }, (_, i) => [agent.first + i, (agent.first + i) % 1000]);
            assert.deepEqual(await agent.storedSlots(), expected);
        }
        t.diagnostic(`${agents.reduce((sum, agent) => sum + agent.next - agent.first, 0)} slots of ${agents.length} agents`);
    });

    await t.test('what was revoked was refused by both within five seconds', () => assert.ok(happened['revocations seen'] > 0));

    await t.test('both are ready, and the agents that call are online at both', async () => {
        for (const replica of replicas) await eventually('it is ready', async () => (await replica.get('/readyz')).status === 200);
        for (const replica of replicas)
            for (const agent of agents)
                await eventually(`${agent.name} is online`, async () => {
                    await agent.beat();
                    return await agent.vmState(replica) === 'online';
                });
    });
});

test('an agent is shown as it is, whichever replica it calls and whichever is asked', { skip }, async () => {
    const [first, second] = replicas;
    const agent = new WanderingAgent('steady');
    await agent.join();
    const at = (replica) => Object.assign(agent, { controlPlane: replica });
    const isOnline = async () => {
        await agent.beat();
        for (const replica of replicas)
            if (replica.process.isRunning) assert.equal(await agent.vmState(replica), 'online');
        return true;
    };
    at(second);
    await eventually('it is online at both', isOnline);
    await first.restart();
    await throughout(3000, isOnline);
    await second.killHard();
    at(first);
    await eventually('it is online at the one that is left', isOnline);
    await second.serve();
    // Longer than it takes to notice that the killed one is gone.
    await throughout(isLong ? 200_000 : 22_000, isOnline, { every: 500 });
    await first.killHard();
    await eventually('nobody knows how it is', async () => await agent.vmState(second) === 'unknown', { within: 40_000, every: 500 });
    at(second);
    await eventually('it calls the other one', isOnline);
    await first.serve();
});
