// Other people's linters read the OpenAPI document that the server serves.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ControlPlane } from '../support/control_plane.mjs';
import { run, temporaryFolder } from '../support/processes.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const versionOf = (name) => JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'))).version;

let controlPlane;
let file;
before(async () => {
    controlPlane = await ControlPlane.start();
    file = join(temporaryFolder(), 'openapi.json');
    writeFileSync(file, (await controlPlane.get('/v1/openapi.json')).text);
});
after(async () => { await controlPlane?.stop(); });

// These programs look for newer releases and send statistics, if they are let.
const env = { CI: 'true', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_UPDATE_NOTIFIER: '1' };
const lint = (program, parameters) => run(
    process.execPath, [join(here, 'node_modules', '.bin', program), ...parameters], { env, cwd: here, within: 180_000 },
);

test('@redocly/cli finds no error and no warning', async (t) => {
    t.diagnostic(`@redocly/cli ${versionOf('@redocly/cli')}`);
    const done = await lint('redocly', ['lint', file, '--config', join(here, 'redocly.yaml'), '--format', 'json']);
    const { totals, problems } = JSON.parse(done.stdout.slice(done.stdout.indexOf('{')));
    const told = problems.map((problem) => `${problem.severity} ${problem.ruleId} ${problem.location?.[0]?.pointer}: ${problem.message}`);
    assert.equal(totals.errors + totals.warnings, 0, told.join('\n'));
    assert.equal(done.code, 0, done.stderr);
});

test('@stoplight/spectral-cli finds no error and no warning', async (t) => {
    t.diagnostic(`@stoplight/spectral-cli ${versionOf('@stoplight/spectral-cli')}`);
    const done = await lint('spectral', ['lint', file, '--ruleset', join(here, 'spectral.yaml'), '--format', 'json', '--quiet']);
    const results = JSON.parse(done.stdout.slice(Math.max(done.stdout.indexOf('['), 0)) || '[]');
    const told = results.map((result) => `${result.severity} ${result.code} ${result.path.join('/')}: ${result.message}`);
    assert.deepEqual(told, []);
    assert.equal(done.code, 0, done.stderr);
});
