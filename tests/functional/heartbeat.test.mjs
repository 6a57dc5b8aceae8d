// The life of a heartbeat, spoken as JSON: parked, woken, superseded, drained, and idempotent.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { hashOf, inventorySection } from '../support/agent_protocol.mjs';
import { JsonAgent, kSlotSeconds, slotOf } from '../support/json_agent.mjs';
import { eventually, throughout } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

const parked = async () => {
    const { text } = await controlPlane.get('/metrics');
    return Number(/^synapsex_agents_parked (\d+)$/m.exec(text)[1]);
};
const untilParked = (count) => eventually(`${count} heartbeats are parked`, async () => await parked() === count);
const stateOf = async (agent) => (await controlPlane.must('GET', `/v1/vms/${agent.vmId}`)).state;
const timed = async (promise) => {
    const start = Date.now();
    const answer = await promise;
    return { answer, seconds: (Date.now() - start) / 1000 };
};

test('without a hold it is answered at once and makes the VM online', async () => {
    const agent = await JsonAgent.start(controlPlane);
    assert.equal(await stateOf(agent), 'unknown');
    const answer = await agent.heartbeat();
    assert.equal(answer.status, 200, answer.text);
    assert.ok(Math.abs(Date.parse(answer.json.serverTime) - Date.now()) < 5000);
    assert.ok(answer.json.serverIncarnation);
    assert.ok(answer.json.holdSeconds >= 30 && answer.json.holdSeconds <= 60);
    await eventually('the VM is online', async () => await stateOf(agent) === 'online');
});

test('with a hold it is parked for that long, and the VM is online meanwhile', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const promise = timed(agent.heartbeat({ holdSeconds: 3 }));
    await untilParked(1);
    await eventually('the VM is online', async () => await stateOf(agent) === 'online');
    const { answer, seconds } = await promise;
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.reason, 'timeout');
    assert.ok(seconds >= 2.9 && seconds < 8, `${seconds} s`);
    await untilParked(0);
});

test('watching a VM wakes its agent, which then sends each slot at once', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const promise = timed(agent.heartbeat({ holdSeconds: 50 }));
    await untilParked(1);
    const watching = await controlPlane.must('POST', `/v1/vms/${agent.vmId}/watch`, { seconds: 15 });
    const { answer, seconds } = await promise;
    assert.equal(answer.json.reason, 'news');
    assert.ok(seconds < 10, `${seconds} s`);
    assert.equal(answer.json.liveUntil, watching.liveUntil);
    // While somebody watches, nothing is held.
    const next = await timed(agent.heartbeat({ holdSeconds: 50 }));
    assert.ok(next.seconds < 5);
    assert.ok(next.answer.json.liveUntil);
});

test('a newer heartbeat of the same agent ends the older one', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const older = timed(agent.heartbeat({ holdSeconds: 50 }));
    await untilParked(1);
    const newer = agent.heartbeat({ holdSeconds: 2 });
    const { answer, seconds } = await older;
    assert.equal(answer.json.reason, 'superseded');
    assert.ok(seconds < 10);
    assert.equal((await newer).json.reason, 'timeout');
});

test('an agent that hangs up frees its place', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const hangup = new AbortController();
    const poll = agent.heartbeat({ holdSeconds: 50 }, { signal: hangup.signal }).catch((error) => error);
    await untilParked(1);
    hangup.abort();
    await poll;
    await untilParked(0);
});

test('telemetry is stored once, however often it is sent, and read in order', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const newest = slotOf(Date.now()) - 1;
    const slots = Array.from({ length: 40 }, (_, index) => newest - 39 + index);
    const telemetry = slots.map((slot) => agent.sample(slot));
    const first = await agent.heartbeat({ telemetry: telemetry.slice(0, 30) });
    assert.equal(first.json.storedThroughSlot, slots[29], first.text);
    await agent.heartbeat({ telemetry: telemetry.slice(0, 30) });
    await agent.heartbeat({ telemetry: telemetry.slice(20) });
    const from = new Date(slots[0] * kSlotSeconds * 1000).toISOString();
    const read = [];
    let cursor = '';
    do {
        const page = await controlPlane.must('GET', `/v1/vms/${agent.vmId}/telemetry?from=${from}&limit=7${cursor && `&cursor=${cursor}`}`);
        read.push(...page.items);
        cursor = page.nextCursor;
    } while (cursor);
    assert.deepEqual(read.map((point) => Date.parse(point.at) / 1000 / kSlotSeconds), slots);
    const [point] = read;
    assert.equal(point.load1, 1.23);
    assert.equal(point.cpuBusyPercent, 25);
    assert.equal(point.memoryTotalBytes, 2 ** 31);
    assert.equal(point.filesystemUsedPercentMax, 50);
    // The same slot with another value: what was stored stays.
    await agent.heartbeat({ telemetry: [agent.sample(newest, { load1Centi: 9999 })] });
    assert.equal((await controlPlane.must('GET', `/v1/vms/${agent.vmId}`)).latest.load1, 1.23);
});

test('telemetry that is out of order or of the far future does no harm', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const newest = slotOf(Date.now()) - 1;
    const wrong = await agent.heartbeat({ telemetry: [agent.sample(newest), agent.sample(newest - 1)] });
    assertProblem(wrong, 400, 'telemetry.not_ascending');
    const future = await agent.heartbeat({ telemetry: [agent.sample(newest + 10 ** 6)] });
    assert.equal(future.status, 200, future.text);
    assert.equal((await controlPlane.must('GET', `/v1/vms/${agent.vmId}`)).latest ?? null, null);
});

test('inventory is asked for by hash and shown by section', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const memory = { memory: { total_bytes: 1024 } };
    const hashes = [{ section: 'memory', hash: hashOf(inventorySection(memory)) }, { section: 'cpu', hash: 'h2' }];
    assert.deepEqual((await agent.heartbeat({ hashes, holdSeconds: 50 })).json.wantSections.sort(), ['cpu', 'memory']);
    const stored = await agent.putInventory('memory', memory);
    assert.equal(stored.status, 204, stored.text);
    assert.deepEqual((await agent.heartbeat({ hashes })).json.wantSections, ['cpu']);
    const vm = await controlPlane.must('GET', `/v1/vms/${agent.vmId}`);
    assert.equal(vm.reported.memory.totalBytes, 1024);
    assert.equal(vm.memoryTotalBytes, 1024);
    assertProblem(await agent.putInventory('cpu', memory), 400, 'inventory.section_missing');
    assertProblem(await agent.putInventory('shoes', memory), 400);
});

test('an agent speaks for itself only', async () => {
    const one = await JsonAgent.start(controlPlane);
    const two = await JsonAgent.start(controlPlane);
    const agentId = two.agentId;
    const foreign = await controlPlane.post(`/v1/agents/${agentId}/heartbeat`, {
        sequence: 1, bootId: '', agentVersion: '1', capabilities: [], holdSeconds: 0, hashes: [], telemetry: [],
        spoolDroppedSamples: 0, goodbye: '', serverIncarnation: '', executor: 'ok',
    }, { as: one });
    assertProblem(foreign, 404, 'agents.not_found');
    assert.equal(await stateOf(two), 'unknown');
});

test('an agent whose executor is gone is degraded; a goodbye is believed', async () => {
    const agent = await JsonAgent.start(controlPlane);
    await agent.heartbeat({ executor: 'unreachable' });
    await eventually('the VM is degraded', async () => await stateOf(agent) === 'degraded');
    await agent.heartbeat({ executor: 'ok' });
    await eventually('the VM is online', async () => await stateOf(agent) === 'online');
    await agent.heartbeat({ goodbye: 'rebooting', holdSeconds: 50 });
    await eventually('the VM is rebooting', async () => await stateOf(agent) === 'rebooting');
    await agent.heartbeat();
    await eventually('the VM is online', async () => await stateOf(agent) === 'online');
    await agent.heartbeat({ goodbye: 'stopping', holdSeconds: 50 });
    await eventually('the VM is offline', async () => await stateOf(agent) === 'offline');
});

test('removing an agent ends its parked heartbeat', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const poll = timed(agent.heartbeat({ holdSeconds: 50 }));
    await untilParked(1);
    await controlPlane.must('DELETE', `/v1/agents/${agent.agentId}`);
    assert.ok((await poll).seconds < 10);
    assertProblem(await agent.heartbeat(), 401);
});

test('SIGTERM answers what is parked, spread out, and then the server ends', async () => {
    const agents = await Promise.all(Array.from({ length: 5 }, () => JsonAgent.start(controlPlane)));
    const polls = agents.map((agent) => timed(agent.heartbeat({ holdSeconds: 50 })));
    await untilParked(5);
    const start = Date.now();
    await controlPlane.stop();
    assert.ok(Date.now() - start < 15_000);
    for (const poll of polls) {
        const { answer } = await poll;
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json.reason, 'draining');
        assert.ok(answer.json.nextAfterMs >= 0 && answer.json.nextAfterMs <= 5000);
    }
    await controlPlane.serve();
});

test('after a start nothing is online before it called', async () => {
    const agent = await JsonAgent.start(controlPlane);
    await agent.heartbeat();
    await eventually('the VM is online', async () => await stateOf(agent) === 'online');
    await controlPlane.killHard();
    await controlPlane.serve();
    // Where others may live on the database, not before it is sure that the killed one does not.
    if (isPostgres) await eventually('the VM is unknown', async () => await stateOf(agent) === 'unknown', { within: 40_000 });
    await throughout(1500, async () => assert.equal(await stateOf(agent), 'unknown'));
    const incarnation = (await agent.heartbeat()).json.serverIncarnation;
    await eventually('the VM is online', async () => await stateOf(agent) === 'online');
    assert.equal((await agent.heartbeat({ serverIncarnation: incarnation })).json.serverIncarnation, incarnation);
});
