// A disk that is really full: the control plane refuses writes with a problem document, goes on
// reading, and recovers by itself when there is room; the agent lives on and nothing is lost. And a
// disk that fills: telemetry waits first, so that everything else goes on.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { Agent } from '../support/agent.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent, slotOf } from '../support/json_agent.mjs';
import { eventually, freePort, Program, program, temporaryFolder } from '../support/processes.mjs';
import { fillDisk, fillDiskTo, mountTmpfsOf, whyNoSmallDisk } from '../support/small_disk.mjs';

// Its data lie on a tmpfs that only its own mount namespace has.
class ControlPlaneOnSmallDisk extends ControlPlane {
    static async start(megabytes) {
        const controlPlane = new ControlPlaneOnSmallDisk({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
        controlPlane.mount = mountTmpfsOf(megabytes);
        await controlPlane.init();
        controlPlane.isInitialised = true;
        await controlPlane.serve();
        controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
        return controlPlane;
    }
    async serve() {
        const disk = join(this.folder, 'disk');
        mkdirSync(disk, { recursive: true });
        const script = `${this.mount} && cp -a "$2/." "$1/" && shift 2 && exec "$@"`;
        this.process = new Program('unshare', [
            '--mount', 'sh', '-c', script, 'sh', disk, this.dataDir,
            program('synapsex-controlplane'), 'serve', ...this.flags, '--data-dir', disk,
        ], { name: 'control plane' });
        this.filler = `/proc/${this.process.pid}/root${disk}/filler`;
        await eventually('the control plane is ready', async () => (await this.get('/readyz')).status === 200, { within: 60_000 });
    }
    get flags() {
        const flags = super.flags;
        if (!this.filler && !this.isInitialised) return flags;
        const at = flags.indexOf('--data-dir');
        return [...flags.slice(0, at), ...flags.slice(at + 2)];
    }
    fillDisk() { fillDisk(this.filler); }
    fillDiskTo(percent) { fillDiskTo(this.filler, percent); }
    freeDisk() { rmSync(this.filler); }
}

test('a full disk is an answer, not an end', { skip: await whyNoSmallDisk() }, async (t) => {
    const controlPlane = await ControlPlaneOnSmallDisk.start(16);
    const agent = await Agent.start(controlPlane, { name: 'beside-a-full-disk' });
    const worker = agent.pidOf('worker');
    const json = await JsonAgent.start(controlPlane);
    const newest = slotOf(Date.now()) - 1;
    const write = () => controlPlane.post('/v1/agents/enrollment-tokens', {}, { as: controlPlane.owner });

    controlPlane.fillDisk();
    let refused;
    await t.test('a write is refused with 503 and a time to come back', async () => {
        // What the log file of the database holds already may still be written over.
        refused = await eventually('a write is refused', async () => {
            const answers = await Promise.all(Array.from({ length: 16 }, write));
            return answers.find((answer) => answer.status !== 201);
        }, { every: 1 });
        assertProblem(refused, 503, 'database.unavailable');
        assert.ok(Number(refused.headers['retry-after']) > 0);
    });

    await t.test('reads go on', async () => {
        assert.equal((await controlPlane.get('/v1/vms', { as: controlPlane.owner })).status, 200);
        assert.equal((await controlPlane.get('/healthz')).status, 200);
    });

    await t.test('telemetry that was not stored is not acknowledged', async () => {
        let oldest = newest;
        const answer = await eventually('telemetry is not taken', async () => {
            await write();
            oldest -= 100;
            const telemetry = Array.from({ length: 100 }, (_, index) => json.sample(oldest + index));
            const tried = await json.heartbeat({ telemetry });
            return tried.json.storedThroughSlot !== oldest + 99 && tried;
        }, { every: 1 });
        // Refused by the database, or left out already since the disk is known to be full.
        if (answer.status === 200) assert.equal(answer.json.storedThroughSlot, 0);
        else assertProblem(answer, 503);
        assert.ok(agent.process.isRunning);
    });

    controlPlane.freeDisk();
    await t.test('with room again it takes writes, without a restart', async () => {
        await eventually('a write succeeds', async () => (await write()).status === 201, { within: 30_000 });
        await eventually('telemetry is taken', async () => {
            const answer = await json.heartbeat({ telemetry: [json.sample(newest)] });
            return answer.json.storedThroughSlot === newest;
        }, { within: 30_000 });
        assert.ok(controlPlane.process.isRunning);
    });

    await t.test('the agent went on and is online', async () => {
        await eventually('it is online', async () => (await agent.find()).state === 'online', { within: 90_000, every: 500 });
        assert.equal(agent.pidOf('worker'), worker);
        await agent.stop();
    });

    await t.test('the database is whole', async () => {
        await controlPlane.stop();
    });
});

test('on a disk that fills telemetry waits first, and people go on', { skip: await whyNoSmallDisk() }, async (t) => {
    const controlPlane = await ControlPlaneOnSmallDisk.start(128);
    const agent = await Agent.start(controlPlane, { name: 'waits-for-room' });
    const json = await JsonAgent.start(controlPlane);
    const level = async (number) => (await controlPlane.get('/metrics')).text.includes(`synapsex_disk_level{database="main"} ${number}\n`);
    const reserve = controlPlane.filler.replace('filler', 'controlplane.db.reserve');
    const send = (slot) => json.heartbeat({ telemetry: [json.sample(slot)] });
    const slot = slotOf(Date.now()) - 10;
    const slots = async (vmId) => {
        const page = await controlPlane.must('GET', `/v1/vms/${vmId}/telemetry`);
        return page.items.map(({ at }) => slotOf(Date.parse(at)));
    };
    await eventually('there is plenty', () => level(0));
    assert.equal((await send(slot)).json.storedThroughSlot, slot);
    assert.ok(existsSync(reserve));

    controlPlane.fillDiskTo(4);
    await eventually('room is low', () => level(1));
    let waiting;
    await t.test('low: telemetry is not acknowledged, the heartbeat is answered, the agent is online', async () => {
        waiting = slotOf(Date.now());
        // So that the agent sends what it has at the end of each slot.
        await controlPlane.must('POST', `/v1/vms/${agent.vm.id}/watch`, { seconds: 300 });
        const answer = await send(slot + 1);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json.storedThroughSlot, 0);
        assert.deepEqual(await slots(json.vmId), [slot]);
    });
    await t.test('low: signing in, enrolling and removing work', async () => {
        await controlPlane.signIn(controlPlane.credentials);
        const other = await JsonAgent.start(controlPlane, { name: 'enrolled-while-low' });
        assert.equal((await other.heartbeat()).status, 200);
        assert.equal((await controlPlane.call('DELETE', `/v1/agents/${other.agentId}`, { as: controlPlane.owner })).status, 200);
    });
    await t.test('low: the agent goes on and keeps what it has measured', async () => {
        await eventually('it has sent the slot', async () => slotOf(Date.now()) > waiting + 1, { within: 60_000 });
        assert.ok(!(await slots(agent.vm.id)).includes(waiting));
        assert.equal((await agent.find()).state, 'online');
    });
    await t.test('low: it is ready, and says how it stands', async () => {
        const ready = await controlPlane.get('/readyz');
        assert.equal(ready.status, 200);
        const { detail } = ready.json.checks.find(({ name }) => name === 'vm-registry-service.database');
        assert.equal(detail, 'answers; room on its disk is low');
    });

    controlPlane.fillDiskTo(1);
    await t.test('critical: the reserve is let go, and changes still commit', async () => {
        await eventually('room is critical', () => level(2));
        assert.ok(!existsSync(reserve));
        const made = await controlPlane.post('/v1/agents/enrollment-tokens', {}, { as: controlPlane.owner });
        assert.equal(made.status, 201, made.text);
        const told = await controlPlane.get('/v1/agents/enrollment-tokens', { as: controlPlane.owner });
        assert.ok(told.json.items.some(({ id }) => id === made.json.id));
    });

    controlPlane.freeDisk();
    await t.test('with room again what waited arrives, and the reserve is held', async () => {
        await eventually('there is plenty', () => level(0));
        assert.ok(existsSync(reserve));
        assert.equal((await send(slot + 1)).json.storedThroughSlot, slot + 1);
        assert.deepEqual(await slots(json.vmId), [slot, slot + 1]);
        await eventually('the agent has sent what waited', async () => (await slots(agent.vm.id)).includes(waiting), { within: 90_000, every: 500 });
    });
    await agent.stop();
    await controlPlane.stop();
});
