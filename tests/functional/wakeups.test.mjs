// What one replica does, the others know at once: through PostgreSQL's LISTEN and NOTIFY.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { isPostgres } from '../support/databases.mjs';
import { eventually, freePort, temporaryFolder } from '../support/processes.mjs';

const skip = !isPostgres && 'SQLite has one control plane';
// What a replica remembers of a credential it forgets by itself after 5 s.
const kAtOnce = 3_000;

let first;
let second;
before(async () => {
    if (skip) return;
    first = await ControlPlane.start();
    const folder = temporaryFolder();
    second = new ControlPlane({ settings: first.settings, folder, env: {}, port: await freePort() });
    cpSync(first.dataDir, join(folder, 'control plane'), { recursive: true });
    await second.serve();
});
after(async () => { await second?.stop(); await first?.stop(); });

const listens = (controlPlane) => eventually('it hears hints', async () => {
    const { json } = await controlPlane.get('/readyz');
    return json.checks.some((check) => check.name === 'task platform.probe_wakeups' && /succeeded/.test(check.detail));
});

// Asked again and again, so that the replica never forgets by itself.
async function refusedWithin(controlPlane, key) {
    const start = Date.now();
    await eventually('the key is refused', async () => (await controlPlane.get('/v1/auth/me', { as: key })).status === 401, { every: 20 });
    return Date.now() - start;
}

test('a revoked API key is refused by every replica at once', { skip }, async () => {
    await listens(second);
    const { id, key } = await first.must('POST', '/v1/auth/keys', { name: 'ci' });
    assert.equal((await second.get('/v1/auth/me', { as: key })).status, 200);
    await first.must('DELETE', `/v1/auth/keys/${id}`);
    const took = await refusedWithin(second, key);
    assert.ok(took < kAtOnce, `${took} ms`);
});
