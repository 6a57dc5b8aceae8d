// The control plane is killed and stays away. The agent lives on, and afterwards every slot of 15 s
// in which it lived is there, in order, once. SYNAPSEX_LONG=1 makes the outage ten minutes.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Agent } from '../support/agent.mjs';
import { ControlPlane } from '../support/control_plane.mjs';
import { eventually, isLong, throughout } from '../support/processes.mjs';
import { kSlotSeconds, slotOf } from '../support/json_agent.mjs';

const outage = isLong ? 600_000 : 65_000;

async function storedSlots(controlPlane, vm, from) {
    const slots = [];
    let cursor = '';
    do {
        const since = new Date(from * kSlotSeconds * 1000).toISOString();
        const page = await controlPlane.must('GET', `/v1/vms/${vm.id}/telemetry?from=${since}&limit=1000${cursor && `&cursor=${cursor}`}`);
        slots.push(...page.items.map((point) => Date.parse(point.at) / 1000 / kSlotSeconds));
        cursor = page.nextCursor;
    } while (cursor);
    return slots;
}

test(`kill -9 of the control plane for ${outage / 1000} s loses no slot`, async (t) => {
    const controlPlane = await ControlPlane.start();
    const agent = await Agent.start(controlPlane, { name: 'survivor' });
    await controlPlane.must('POST', `/v1/vms/${agent.vm.id}/watch`, { seconds: 60 });
    const first = await eventually('the first slot is stored', async () =>
        (await storedSlots(controlPlane, agent.vm, slotOf(Date.now()) - 8))[0], { within: 60_000, every: 250 });
    const workerBefore = agent.pidOf('worker');

    await controlPlane.killHard();
    await throughout(outage, () => assert.ok(agent.process.isRunning, agent.process.tail()), { every: 1000 });
    assert.equal(agent.pidOf('worker'), workerBefore, 'the worker has not been restarted');
    const backlog = await agent.status();
    assert.equal(backlog.worker.connected, false);
    assert.ok(backlog.worker.lastProblem, 'it says what is wrong');

    const back = Date.now();
    await controlPlane.serve();
    await t.test('nothing is shown online before it called', async () => {
        assert.notEqual((await agent.find()).latest, null, 'what is known stays');
        const { state, lastSeenAt } = await agent.find();
        if (state === 'online') assert.ok(Date.parse(lastSeenAt) >= back - 1000, 'online means: has called since');
        else assert.equal(state, 'unknown');
    });
    // Full jitter with a cap of two minutes, plus the way here.
    await eventually('the agent is back online', async () => (await agent.find()).state === 'online', { within: 200_000, every: 500 });
    const last = slotOf(Date.now()) - 1;
    await controlPlane.must('POST', `/v1/vms/${agent.vm.id}/watch`, { seconds: 120 });

    await t.test('every slot is there, in order, once', async () => {
        const slots = await eventually('the agent has caught up', async () => {
            const found = await storedSlots(controlPlane, agent.vm, first);
            return found.at(-1) >= last && found;
        }, { within: 90_000, every: 500 });
        const expected = Array.from({ length: slots.at(-1) - first + 1 }, (_, index) => first + index);
        assert.deepEqual(slots, expected);
        t.diagnostic(`${slots.length} slots without a gap, over an outage of ${outage / 1000} s`);
    });

    await t.test('the spool is empty again', async () => {
        await eventually('nothing is left to send', async () => (await agent.status()).worker?.spooledSamples <= 1, { within: 60_000, every: 500 });
        assert.equal((await agent.status()).worker.droppedSamples, 0);
    });

    await agent.stop();
    await controlPlane.stop();
});

test('kill -9 of the worker during an outage: what it had spooled arrives, each slot once', async () => {
    const controlPlane = await ControlPlane.start();
    const agent = await Agent.start(controlPlane, { name: 'relay' });
    await controlPlane.must('POST', `/v1/vms/${agent.vm.id}/watch`, { seconds: 60 });
    const first = await eventually('the first slot is stored', async () =>
        (await storedSlots(controlPlane, agent.vm, slotOf(Date.now()) - 8))[0], { within: 60_000, every: 250 });
    await controlPlane.killHard();
    const spooled = async (count) => (await agent.status()).worker?.spooledSamples >= count;
    await eventually('two slots are spooled', () => spooled(2), { within: 90_000, every: 500 });
    const before = agent.pidOf('worker');
    process.kill(before, 'SIGKILL');
    const killedIn = slotOf(Date.now());
    await eventually('the worker is back', () => agent.pidOf('worker') && agent.pidOf('worker') !== before);
    await eventually('it knows what was spooled, and goes on', () => spooled(3), { within: 90_000, every: 500 });

    await controlPlane.serve();
    await eventually('the agent is back online', async () => (await agent.find()).state === 'online', { within: 200_000, every: 500 });
    const last = slotOf(Date.now()) - 1;
    await controlPlane.must('POST', `/v1/vms/${agent.vm.id}/watch`, { seconds: 120 });
    const slots = await eventually('the agent has caught up', async () => {
        const found = await storedSlots(controlPlane, agent.vm, first);
        return found.at(-1) >= last && found;
    }, { within: 90_000, every: 500 });
    // The slot in which it was killed was watched by nobody for a part, which may have been too long.
    const expected = Array.from({ length: slots.at(-1) - first + 1 }, (_, index) => first + index)
        .filter((slot) => slot !== killedIn || slots.includes(slot));
    assert.deepEqual(slots, expected);
    assert.equal((await agent.status()).worker.droppedSamples, 0);
    await agent.stop();
    await controlPlane.stop();
});
