// A disk that is really full: the control plane refuses writes with a problem document, goes on
// reading, and recovers by itself when there is room; the agent lives on and nothing is lost.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { Agent } from '../support/agent.mjs';
import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent, slotOf } from '../support/json_agent.mjs';
import { eventually, freePort, Program, program, temporaryFolder } from '../support/processes.mjs';
import { fillDisk, mountTmpfs, whyNoSmallDisk } from '../support/small_disk.mjs';

// Its data lie on a tmpfs of 16 MB that only its own mount namespace has.
class ControlPlaneOnSmallDisk extends ControlPlane {
    async serve() {
        const disk = join(this.folder, 'disk');
        mkdirSync(disk, { recursive: true });
        const script = `${mountTmpfs} && cp -a "$2/." "$1/" && shift 2 && exec "$@"`;
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
    freeDisk() { rmSync(this.filler); }
}

test('a full disk is an answer, not an end', { skip: await whyNoSmallDisk() }, async (t) => {
    const controlPlane = new ControlPlaneOnSmallDisk({ settings: [], folder: temporaryFolder(), env: {}, port: await freePort() });
    await controlPlane.init();
    controlPlane.isInitialised = true;
    await controlPlane.serve();
    controlPlane.owner = await controlPlane.signIn(controlPlane.credentials);
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
        const answer = await eventually('a heartbeat is refused', async () => {
            await write();
            oldest -= 100;
            const telemetry = Array.from({ length: 100 }, (_, index) => json.sample(oldest + index));
            const tried = await json.heartbeat({ telemetry });
            return tried.status !== 200 && tried;
        }, { every: 1 });
        assertProblem(answer, 503);
        assert.ok(agent.process.isRunning);
    });

    controlPlane.freeDisk();
    await t.test('with room again it takes writes, without a restart', async () => {
        await eventually('a write succeeds', async () => (await write()).status === 201, { within: 30_000 });
        const answer = await json.heartbeat({ telemetry: [json.sample(newest)] });
        assert.equal(answer.json.storedThroughSlot, newest, answer.text);
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
