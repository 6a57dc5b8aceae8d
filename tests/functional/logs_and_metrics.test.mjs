// What an operator has to look at: logs that programs read, metrics, probes, the public document.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { eventually } from '../support/processes.mjs';

let controlPlane;
before(async () => { controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

test('every line of the log is JSON with a time and a level', async () => {
    await controlPlane.get('/v1/nothing');
    await controlPlane.restart();
    await controlPlane.stop();
    const lines = controlPlane.log.trimEnd().split('\n');
    assert.ok(lines.length > 4);
    for (const line of lines) {
        const entry = JSON.parse(line);
        assert.match(entry.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
        assert.ok(['debug', 'info', 'warning', 'error'].includes(entry.level));
        assert.ok(entry.message);
    }
    assert.ok(!lines.some((line) => JSON.parse(line).level === 'error'), controlPlane.log);
    await controlPlane.serve();
});

test('a request\'s line has its request id, tenant, operation and status', async () => {
    await controlPlane.get('/v1/vms', { as: controlPlane.owner, headers: { 'x-request-id': 'look-for-me' } });
    const line = await eventually('the line is there', () =>
        controlPlane.logLines.find((entry) => entry.requestId === 'look-for-me'));
    assert.equal(line.tenantId, controlPlane.owner.tenantId);
    assert.equal(line.operation, 'vms.list');
    assert.equal(line.status, 200);
    assert.equal(line.client, '127.0.0.1');
    assert.ok(line.milliseconds >= 0);
});

test('a line has each key once, and no tenant where there is none', async () => {
    const agent = await JsonAgent.start(controlPlane);
    await controlPlane.get('/healthz', { headers: { 'x-request-id': 'of-nobody' } });
    const lines = await eventually('both lines are there', () => {
        const all = controlPlane.process.stderr.split('\n');
        const found = [`"agentId":"${agent.agentId}"`, '"of-nobody"'].map((part) => all.find((line) => line.includes(part)));
        return found.every(Boolean) && found;
    });
    for (const line of lines) {
        const keys = [...line.matchAll(/[{,]"(\w+)":/g)].map((match) => match[1]);
        assert.equal(new Set(keys).size, keys.length, line);
    }
    assert.equal(JSON.parse(lines[0]).tenantId, controlPlane.owner.tenantId);
    assert.ok(!('tenantId' in JSON.parse(lines[1])), lines[1]);
});

test('no secret is in the log', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const { token } = await controlPlane.enrollmentToken();
    await controlPlane.get(`/v1/nothing?token=${token}`, { as: controlPlane.owner });
    await controlPlane.post('/v1/auth/refresh', { refreshToken: controlPlane.owner.refreshToken });
    const all = controlPlane.log + controlPlane.process.stderr;
    for (const secret of [controlPlane.credentials.password, controlPlane.owner.accessToken, controlPlane.owner.refreshToken, token, agent.accessToken])
        assert.ok(!all.includes(secret));
});

test('text from outside cannot forge a line', async () => {
    await controlPlane.get('/v1/nothing%0a%7b%22level%22:%22error%22%7d');
    await controlPlane.get('/healthz');
    for (const line of controlPlane.process.stderr.trimEnd().split('\n')) assert.equal(JSON.parse(line).level === 'error', false);
});

test('the access log can be turned off, and the level raised', async () => {
    const quiet = await ControlPlane.start({ settings: ['--access-log', 'false', '--log-level', 'warning'] });
    await quiet.get('/v1/auth/me', { as: quiet.owner });
    await quiet.get('/v1/nothing');
    await quiet.stop();
    assert.equal(quiet.log, '');
});

// The text format of Prometheus, line by line.
function parseMetrics(text) {
    const types = new Map();
    const samples = [];
    for (const line of text.split('\n').filter(Boolean)) {
        const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
        if (type) {
            assert.ok(!types.has(type[1]), `${type[1]} stands twice`);
            types.set(type[1], type[2]);
            continue;
        }
        if (/^# HELP [a-z_]+ .+$/.test(line)) continue;
        const sample = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/.exec(line);
        assert.ok(sample, `not the text format: ${line}`);
        const labels = Object.fromEntries([...(sample[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map((match) => [match[1], match[2]]));
        samples.push({ name: sample[1], labels, value: Number(sample[3].replace('+Inf', 'Infinity')) });
    }
    return { types, samples };
}

test('/metrics is the text format of Prometheus and counts', async () => {
    const read = async () => {
        const answer = await controlPlane.get('/metrics');
        assert.equal(answer.status, 200);
        assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
        return parseMetrics(answer.text);
    };
    const count = ({ samples }) => samples.find((sample) =>
        sample.name === 'synapsex_http_requests_total' && sample.labels.operation === 'auth.me' && sample.labels.status === '2xx').value;
    const before = await read();
    for (let i = 0; i < 3; ++i) await controlPlane.get('/v1/auth/me', { as: controlPlane.owner });
    const { types, samples } = await read();
    assert.equal(count({ samples }), count(before) + 3);
    const names = new Set(samples.map((sample) => sample.name));
    assert.equal(names.size > 10, true);
    for (const { name } of samples) {
        const family = name.replace(/_(bucket|sum|count)$/, '');
        assert.ok(types.has(name) || types.get(family) === 'histogram', `${name} has no TYPE`);
    }
    for (const [name] of [...types].filter(([, type]) => type === 'counter')) assert.match(name, /_total$/);
    // A histogram's buckets grow, and the last is the count.
    const buckets = samples.filter((sample) => sample.name === 'synapsex_http_request_seconds_bucket' && sample.labels.operation === 'auth.me');
    buckets.forEach((bucket, index) => assert.ok(index === 0 || bucket.value >= buckets[index - 1].value));
    assert.equal(buckets.at(-1).labels.le, '+Inf');
    assert.equal(buckets.at(-1).value, samples.find((sample) =>
        sample.name === 'synapsex_http_request_seconds_count' && sample.labels.operation === 'auth.me').value);
});

test('/healthz and /readyz answer without a credential, and say what is ready', async () => {
    assert.deepEqual((await controlPlane.get('/healthz')).json, { status: 'ok' });
    const ready = (await controlPlane.get('/readyz')).json;
    assert.equal(ready.status, 'ready');
    for (const service of ['tenant', 'vm-registry', 'agent-registry', 'auth'])
        assert.ok(ready.checks.some((check) => check.name.startsWith(service) && check.ready), `${service} is checked`);
});

test('/ and /docs/ lead to the reference', async () => {
    for (const path of ['/', '/docs/']) {
        const answer = await controlPlane.get(path);
        assert.equal(answer.status, 302, path);
        assert.equal(answer.headers.location, '/docs');
    }
    assert.equal((await controlPlane.get('/docs')).status, 200);
});

test('the document that is served is the one that is printed, for this address', async () => {
    const served = (await controlPlane.get('/v1/openapi.json')).json;
    const printed = JSON.parse((await controlPlane.run(['openapi'])).stdout);
    assert.equal(served.openapi.slice(0, 3), '3.1');
    assert.deepEqual(served.paths, printed.paths);
    assert.deepEqual(served.components, printed.components);
    assert.ok(JSON.stringify(served.servers).includes(controlPlane.url));
    for (const [path, methods] of Object.entries(served.paths))
        for (const [method, operation] of Object.entries(methods))
            if (operation.operationId) assert.ok(operation.summary, `${method} ${path} has a summary`);
});

test('/docs is a page of this server alone', async () => {
    const page = await controlPlane.get('/docs');
    const answer = page.status === 308 || page.status === 301 ? await controlPlane.get(page.headers.location) : page;
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.doesNotMatch(answer.text, /(src|href)="(https?:)?\/\//, 'nothing comes from elsewhere');
    for (const [, path] of answer.text.matchAll(/(?:src|href)="(\/[^"#]+)"/g))
        assert.equal((await controlPlane.get(path)).status, 200, path);
});

test('background tasks are told of by name, with what became of them', async () => {
    const checks = (await controlPlane.get('/readyz')).json.checks.filter(({ name }) => name.startsWith('task '));
    const names = checks.map(({ name }) => name.slice('task '.length));
    for (const name of ['agent_registry.flush_presence', 'auth.key_usage', 'auth.registrations', 'vm_registry.prune_telemetry'])
        assert.ok(names.includes(name), `${name} is not among ${names}`);
    await eventually('presence was flushed', async () => {
        const { text } = await controlPlane.get('/metrics');
        return /synapsex_task_runs_total\{task="agent_registry\.flush_presence"\} [1-9]/.test(text);
    });
    const { json } = await controlPlane.get('/readyz');
    const flush = json.checks.find(({ name }) => name === 'task agent_registry.flush_presence');
    assert.match(flush.detail, /^succeeded at 20/);
});
