// What every answer of /v1 keeps to, whatever the operation: methods, media types, packing, pages
// of other origins, traces, clients behind a proxy, links to the next page.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { JsonAgent } from '../support/json_agent.mjs';
import { rawRequest } from '../support/http.mjs';
import { eventually } from '../support/processes.mjs';

const kPage = 'https://console.example.com';

let controlPlane;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--cors-origins', `${kPage}, http://localhost:3000`, '--trusted-proxies', '127.0.0.0/8'] });
});
after(async () => { await controlPlane?.stop(); });

const get = (path, headers = {}) => controlPlane.get(path, { as: controlPlane.owner, headers });

test('OPTIONS says what a path understands', async () => {
    const answer = await controlPlane.call('OPTIONS', '/v1/tenants');
    assert.equal(answer.status, 204);
    assert.deepEqual(answer.headers.allow.split(', ').sort(), ['GET', 'HEAD', 'OPTIONS', 'POST']);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    assertProblem(await controlPlane.call('OPTIONS', '/v1/nothing'), 404, 'request.path_not_found');
});

test('HEAD is GET without the body, on every list', async () => {
    for (const path of ['/v1/vms', '/v1/agents', '/v1/auth/me', '/v1/openapi.json', '/healthz']) {
        const [whole, head] = [await get(path), await controlPlane.call('HEAD', path, { as: controlPlane.owner })];
        assert.equal(head.status, 200, path);
        assert.equal(head.text, '', path);
        assert.equal(head.headers['content-length'], whole.headers['content-length'], path);
    }
});

test('what Accept does not take is 406, and nothing was done', async () => {
    assertProblem(await get('/v1/vms', { accept: 'text/html' }), 406, 'request.not_acceptable');
    const wish = { as: controlPlane.owner, headers: { accept: 'application/xml;q=0.9, application/json;q=0' } };
    assertProblem(await controlPlane.post('/v1/auth/keys', { name: 'never' }, wish), 406, 'request.not_acceptable');
    assert.deepEqual((await get('/v1/auth/keys')).json.items, []);
    for (const accept of ['*/*', 'application/*', 'text/html, application/json;q=0.1', 'application/json; charset=utf-8'])
        assert.equal((await get('/v1/vms', { accept })).status, 200, accept);
    // A browser that opens them asks for HTML.
    for (const path of ['/docs', '/healthz', '/metrics', '/v1/openapi.json'])
        assert.equal((await controlPlane.get(path, { headers: { accept: 'text/html' } })).status, 200, path);
});

test('a large answer is packed for who takes it', async () => {
    const agent = await JsonAgent.start(controlPlane);
    const packages = Array.from({ length: 90 }, (_, i) => ({ name: `package-${i}`, version: `1.${i}-1`, architecture: 'amd64' }));
    await agent.report('packages', { manager: 'dpkg', packages });
    const path = `/v1/vms/${agent.vmId}/packages?limit=100`;
    const plain = await get(path);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.deepEqual(plain.headers.vary.split(', ').sort(), ['Accept-Encoding', 'Origin']);
    const raw = await rawRequest(controlPlane.port,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${controlPlane.owner.accessToken}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n`);
    const end = raw.indexOf('\r\n\r\n');
    assert.match(raw.slice(0, end), /^Content-Encoding: gzip\r?$/m);
    const body = Buffer.from(raw.slice(end + 4), 'latin1');
    assert.ok(body.length * 3 < plain.text.length, `${body.length} of ${plain.text.length} bytes`);
    assert.equal(gunzipSync(body).toString(), plain.text);
    const small = await rawRequest(controlPlane.port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n');
    assert.match(small, /\{"status":"ok"\}$/);
});

test('pages of the named origins may call, after a question ahead, and no others', async () => {
    const ahead = (origin) => controlPlane.call('OPTIONS', '/v1/vms', {
        headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
    });
    const told = (await ahead(kPage)).headers;
    assert.equal(told['access-control-allow-origin'], kPage);
    assert.match(told['access-control-allow-methods'], /GET/);
    assert.match(told['access-control-allow-headers'], /Authorization.*Idempotency-Key/);
    assert.ok(Number(told['access-control-max-age']) > 0);
    const answer = await get('/v1/vms', { origin: 'http://localhost:3000' });
    assert.equal(answer.headers['access-control-allow-origin'], 'http://localhost:3000');
    assert.match(answer.headers['access-control-expose-headers'], /X-Request-Id/);
    assert.equal(answer.headers['access-control-allow-credentials'], undefined);
    assert.equal((await controlPlane.get('/v1/vms', { headers: { origin: kPage } })).headers['access-control-allow-origin'], kPage, 'a refusal can be read, too');
    for (const origin of ['https://evil.example', 'null', `${kPage}.evil.example`, kPage.toUpperCase()]) {
        assert.equal((await ahead(origin)).headers['access-control-allow-origin'], undefined, origin);
        const { status, headers } = await get('/v1/vms', { origin });
        assert.equal(status, 200, 'it is the browser that keeps it from the page');
        assert.equal(headers['access-control-allow-origin'], undefined, origin);
        assert.match(headers.vary, /Origin/);
    }
});

test('a trace goes on', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const { headers } = await get('/v1/vms', { traceparent: `00-${trace}-b7ad6b7169203331-01` });
    assert.match(headers.traceparent, new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    assert.match((await get('/v1/vms', { traceparent: 'nonsense' })).headers.traceparent, /^00-(?!0af7)[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal((await get('/v1/vms')).headers.traceparent, undefined);
});

test('the log has the client behind a trusted proxy', async () => {
    await get('/v1/vms', { 'x-forwarded-for': '203.0.113.9, 192.0.2.7', 'x-request-id': 'forwarded-1' });
    const line = await eventually('it is logged', () => controlPlane.logLines.find(({ requestId }) => requestId === 'forwarded-1'));
    assert.equal(line.client, '192.0.2.7');
});

test('every list links to its next page', async () => {
    for (let i = 0; i < 3; ++i) await controlPlane.must('POST', '/v1/agents/enrollment-tokens', { name: `token ${i}` });
    const first = await get('/v1/agents/enrollment-tokens?limit=2');
    const [, target] = /^<([^>]+)>; rel="next"$/.exec(first.headers.link);
    assert.equal(new URL(target, controlPlane.url).searchParams.get('cursor'), first.json.nextCursor);
    const names = first.json.items.map(({ id }) => id);
    let page = first;
    for (let pages = 0; page.headers.link && pages < 10; ++pages) {
        page = await get(/^<([^>]+)>/.exec(page.headers.link)[1]);
        names.push(...page.json.items.map(({ id }) => id));
    }
    assert.equal(page.json.nextCursor, null);
    const all = (await get('/v1/agents/enrollment-tokens?limit=100')).json.items.map(({ id }) => id);
    assert.deepEqual(names, all);
    assert.ok(all.length >= 3);
});

test('settings that make no sense are refused by name', async () => {
    for (const [flag, value, said] of [
        ['--cors-origins', 'https://console.example.com/', /no list of origins/],
        ['--cors-origins', 'console.example.com', /no list of origins/],
        ['--trusted-proxies', '10.0.0.1/8', /no list of networks/],
    ]) {
        const done = await controlPlane.run(['serve', '--config', controlPlane.configFile, '--data-dir', controlPlane.dataDir, flag, value]);
        assert.notEqual(done.code, 0);
        assert.match(done.stderr, said);
        assert.ok(done.stderr.includes(flag), done.stderr);
    }
});
