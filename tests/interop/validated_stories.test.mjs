// Stories of tests/functional once more, with @stoplight/prism-cli in between: it holds each request
// and each answer against the OpenAPI document. What the server serves the document allows to ask,
// and what the server answers the document knows.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { bin, root, run } from '../support/processes.mjs';
import { Validator } from '../support/validator.mjs';

const { version } = JSON.parse(readFileSync(new URL('node_modules/@stoplight/prism-cli/package.json', import.meta.url)));

// Those that speak plain HTTP and JSON: a proxy hides what others are about (bytes on the wire,
// addresses, certificates).
const stories = ['api_keys', 'enrollment', 'explain', 'idempotency', 'inventory', 'sign_in', 'tenants'];

test('the client is named', (t) => { t.diagnostic(`@stoplight/prism-cli ${version}`); });

test('what differs from the document is found', async () => {
    const controlPlane = await ControlPlane.start();
    const validator = await Validator.before(controlPlane, ({ paths, components }) => {
        components.schemas.Me.properties.email = { type: 'integer' };
        delete paths['/v1/vms'].get.responses['200'];
        paths['/v1/auth/keys'].get.parameters.find(({ name }) => name === 'limit').schema.maximum = 5;
    });
    controlPlane.validator = validator;
    for (const path of ['/v1/auth/me', '/v1/vms', '/v1/auth/keys?limit=50', '/v1/tenants'])
        assert.equal((await controlPlane.get(path, { as: controlPlane.owner })).status, 200);
    controlPlane.validator = undefined;
    const found = (pattern) => validator.found.some((told) => pattern.test(told)) || assert.fail(`${pattern} is none of ${validator.found.join('\n')}`);
    found(/^GET \/v1\/auth\/keys\?limit=50 -> 200: request\.query\.limit/);
    found(/^GET \/v1\/auth\/me -> 200: response\.body\.email/);
    found(/^GET \/v1\/vms -> 200: response/);
    assert.equal(validator.found.filter((told) => told.includes('/v1/tenants')).length, 0);
    await validator.program.end();
    await controlPlane.stop();
});

for (const story of stories)
    test(`${story}: server and document agree on every request and answer`, async () => {
        const file = join(root, 'tests', 'functional', `${story}.test.mjs`);
        const env = { SYNAPSEX_TEST_VALIDATOR: '1', SYNAPSEX_BIN: bin };
        const done = await run(process.execPath, ['--test', file], { env, within: 180_000 });
        assert.equal(done.code, 0, done.stdout);
        assert.match(done.stdout, /^# pass [1-9]/m);
    });
