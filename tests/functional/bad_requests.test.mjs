// Bad input over real sockets: a problem document that says what to mend, or a closed connection.
// Never a crash, never an answer without its request id.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { gzipSync } from 'node:zlib';

import { assertProblem, ControlPlane } from '../support/control_plane.mjs';
import { rawRequest } from '../support/http.mjs';
import { JsonAgent } from '../support/json_agent.mjs';

let controlPlane;
let agent;
before(async () => {
    controlPlane = await ControlPlane.start();
    agent = await JsonAgent.start(controlPlane);
});
after(async () => {
    assert.ok(controlPlane.process.isRunning, controlPlane.process.tail());
    await controlPlane.stop();
});

const json = { 'content-type': 'application/json' };
const send = (method, path, body, headers = json) =>
    controlPlane.call(method, path, { as: controlPlane.owner, body, headers });
const key = (body, headers) => send('POST', '/v1/auth/keys', body, headers);
const pointers = (problem) => problem.errors.map((error) => error.pointer).sort();

// --- where and how ---

const table = [
    ['a path that is none', 'GET', '/v1/nothing', undefined, 404, 'request.path_not_found'],
    ['a path above the root', 'GET', '/v1/../../etc/passwd', undefined, 404, 'request.path_not_found'],
    ['an escaped path', 'GET', '/v1/%2e%2e/auth/me', undefined, 404, 'request.path_not_found'],
    ['a doubled slash', 'GET', '/v1//vms', undefined, 404, 'request.path_not_found'],
    ['a slash at the end', 'GET', '/v1/vms/', undefined, 404, 'request.path_not_found'],
    ['a path in capitals', 'GET', '/V1/vms', undefined, 404, 'request.path_not_found'],
    ['a method that is not for this path', 'DELETE', '/v1/vms', undefined, 405, 'request.method_not_allowed'],
    ['a method that nobody knows', 'BREW', '/v1/vms', undefined, 405, 'request.method_not_allowed'],
    ['an id of another kind', 'GET', '/v1/vms/agt_01arz3ndektsv4rrffq69g5fav', undefined, 400],
    ['an id that is none', 'GET', '/v1/vms/1', undefined, 400],
    ['an unknown parameter', 'GET', '/v1/vms?colour=red', undefined, 400],
    ['a parameter twice', 'GET', '/v1/vms?limit=1&limit=2', undefined, 400],
    ['a limit of zero', 'GET', '/v1/vms?limit=0', undefined, 400],
    ['a limit that is too high', 'GET', '/v1/vms?limit=101', undefined, 400],
    ['a limit that is no number', 'GET', '/v1/vms?limit=ten', undefined, 400],
    ['a state that is none', 'GET', '/v1/vms?state=happy', undefined, 400],
    ['a cursor that is none', 'GET', '/v1/vms?cursor=!!!', undefined, 400],
    ['a broken escape in a query', 'GET', '/v1/vms?name=%zz', undefined, 400],
    ['an escaped NUL in a query', 'GET', '/v1/vms?name=%00', undefined, 400],
    ['bytes that are no UTF-8 in a query', 'GET', '/v1/vms?name=%ff%fe', undefined, 400],
    ['a body where none belongs', 'DELETE', '/v1/auth/keys/key_01arz3ndektsv4rrffq69g5fav', '{}', 400, 'request.body_not_allowed'],
    ['no body where one belongs', 'POST', '/v1/auth/keys', '', 400],
    ['malformed JSON', 'POST', '/v1/auth/keys', '{"name":', 400, 'request.malformed'],
    ['JSON with a comment', 'POST', '/v1/auth/keys', '{"name":"x"/*no*/}', 400, 'request.malformed'],
    ['JSON with a trailing comma', 'POST', '/v1/auth/keys', '{"name":"x",}', 400, 'request.malformed'],
    ['JSON and more', 'POST', '/v1/auth/keys', '{"name":"x"}{}', 400, 'request.malformed'],
    ['NaN', 'POST', '/v1/auth/keys', '{"name":NaN}', 400, 'request.malformed'],
    ['a byte order mark', 'POST', '/v1/auth/keys', '\ufeff{"name":"x"}', 400, 'request.malformed'],
    ['bytes that are no UTF-8', 'POST', '/v1/auth/keys', Buffer.from([0x7b, 0x22, 0x6e, 0x61, 0x6d, 0x65, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]), 400, 'request.malformed'],
    ['a lone surrogate', 'POST', '/v1/auth/keys', '{"name":"\\ud800"}', 400],
    ['a list for an object', 'POST', '/v1/auth/keys', '[]', 400],
    ['text for an object', 'POST', '/v1/auth/keys', '"x"', 400],
    ['null for an object', 'POST', '/v1/auth/keys', 'null', 400],
    ['JSON of 100 levels', 'POST', '/v1/auth/keys', `{"name":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'request.malformed'],
    ['JSON of 30,000 levels', 'POST', '/v1/auth/keys', '['.repeat(30_000), 400, 'request.malformed'],
];
for (const [what, method, path, body, status, code] of table)
    test(`${what}: ${status}`, async () => { assertProblem(await send(method, path, body), status, code); });

test('405 says what is allowed', async () => {
    assert.equal((await send('PATCH', '/v1/vms')).headers.allow, 'GET, HEAD, OPTIONS');
});

test('a body that is too large is 413, announced or not', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(70_000) });
    assertProblem(await key(large), 413, 'request.body_too_large');
    const head = `POST /v1/auth/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${controlPlane.owner.accessToken}\r\nContent-Type: application/json\r\n`;
    const announced = await rawRequest(controlPlane.port, `${head}Content-Length: 99999999\r\n\r\n`);
    assert.match(announced, /^HTTP\/1\.1 413 /);
    const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
    const chunked = await rawRequest(controlPlane.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}0\r\n\r\n`);
    assert.match(chunked, /^HTTP\/1\.1 413 /);
});

test('another media type is 415, and says which is read', async () => {
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'application/jsonx', '']) {
        const answer = await key('{"name":"x"}', type ? { 'content-type': type } : {});
        assertProblem(answer, 415, 'request.unsupported_media_type');
        assert.match(answer.headers.accept, /application\/json/);
    }
    assert.equal((await key('{"name":"x"}', { 'content-type': 'Application/JSON; charset=utf-8' })).status, 201);
});

test('a packed body is read from agents only, and not without end', async () => {
    const packed = (body) => ({ body: gzipSync(body), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } });
    const users = await controlPlane.call('POST', '/v1/auth/keys', { as: controlPlane.owner, ...packed('{"name":"x"}') });
    assertProblem(users, 415, 'request.unsupported_encoding');
    const heartbeat = `/v1/agents/${agent.agentId}/heartbeat`;
    const bomb = await controlPlane.call('POST', heartbeat, { as: agent, ...packed(Buffer.alloc(30_000_000, ' ')) });
    assertProblem(bomb, 413);
    const brotli = await controlPlane.call('POST', heartbeat, { as: agent, body: 'x', headers: { ...json, 'content-encoding': 'br' } });
    assertProblem(brotli, 415, 'request.unsupported_encoding');
    const broken = await controlPlane.call('POST', heartbeat, { as: agent, body: 'no gzip', headers: { ...json, 'content-encoding': 'gzip' } });
    assertProblem(broken, 400);
});

test('a protobuf body of noise is a problem, not a crash', async () => {
    const headers = { 'content-type': 'application/x-protobuf' };
    const heartbeat = `/v1/agents/${agent.agentId}/heartbeat`;
    for (const body of [Buffer.alloc(100, 0xff), Buffer.from('0a', 'hex'), Buffer.from('ffffffffffffffffffff01', 'hex')])
        assertProblem(await controlPlane.call('POST', heartbeat, { as: agent, headers, body }), 400, 'request.malformed');
});

// --- what is in the body: all mistakes at once, each with its pointer ---

test('every mistake is told, by pointer', async () => {
    const problem = assertProblem(await key('{"name":7,"description":false,"colour":"red"}'), 400);
    assert.deepEqual(pointers(problem), ['/colour', '/description', '/name']);
    for (const error of problem.errors) assert.ok(error.code && error.detail);
});

test('a missing member, one that is too short and one that is too long', async () => {
    assert.deepEqual(pointers(assertProblem(await key('{}'), 400)), ['/name']);
    assert.deepEqual(pointers(assertProblem(await key('{"name":""}'), 400)), ['/name']);
    assert.deepEqual(pointers(assertProblem(await key(JSON.stringify({ name: 'x'.repeat(101) })), 400)), ['/name']);
    assert.equal((await key(JSON.stringify({ name: 'é'.repeat(100) }))).status, 201, 'length counts characters, not bytes');
});

test('a duplicate key is found, however it is written', async () => {
    for (const body of ['{"name":"a","name":"b"}', '{"name":"a","n\\u0061me":"b"}'])
        assert.ok(pointers(assertProblem(await key(body), 400)).includes('/name'), body);
});

test('NUL is refused in text and in keys', async () => {
    assert.deepEqual(pointers(assertProblem(await key('{"name":"a\\u0000b"}'), 400)), ['/name']);
    assertProblem(await key('{"name":"a","x\\u0000":1}'), 400);
});

test('a name is one line: no control characters, not only blanks', async () => {
    for (const name of ['   ', '\u00a0', '\u001b[31mred', 'a\nb', 'a\u0085b', 'a\u2028b']) {
        assert.deepEqual(pointers(assertProblem(await key(JSON.stringify({ name })), 400)), ['/name'], JSON.stringify(name));
        assert.deepEqual(pointers(assertProblem(await send('POST', '/v1/tenants', JSON.stringify({ name })), 400)), ['/name']);
        assert.deepEqual(pointers(assertProblem(await send('PUT', `/v1/agents/${agent.agentId}`, JSON.stringify({ name })), 400)), ['/name']);
        assert.deepEqual(pointers(assertProblem(await send('POST', '/v1/agents/enrollment-tokens', JSON.stringify({ name })), 400)), ['/name']);
    }
});

test('an agent that enrolls under a name that is none is told by pointer, and its token is not used up', async () => {
    const { token } = await controlPlane.enrollmentToken();
    const wish = { token, publicKey: 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw', bootId: 'b', agentVersion: '1', platform: 'linux' };
    const enroll = (name) => controlPlane.post('/v1/agents/enroll', { ...wish, name });
    assert.deepEqual(pointers(assertProblem(await enroll('web\n1'), 400)), ['/name']);
    assert.equal((await enroll('web-1')).status, 201);
});

test('a cursor that no list has given is refused by every list', async () => {
    const { vmId } = (await send('GET', `/v1/agents/${agent.agentId}`)).json;
    for (const list of [
        '/v1/vms', `/v1/vms/${vmId}/packages`, `/v1/vms/${vmId}/telemetry`, '/v1/agents', '/v1/agents/enrollment-tokens',
        '/v1/auth/keys', '/v1/tenants', `/v1/tenants/${controlPlane.owner.tenantId}/members`,
    ])
        for (const cursor of ['foo', '*', 'eA'])
            assertProblem(await send('GET', `${list}?cursor=${cursor}`), 400, 'request.cursor_invalid');
});

test('telemetry from later than its end is refused by pointer', async () => {
    const { vmId } = (await send('GET', `/v1/agents/${agent.agentId}`)).json;
    const path = `/v1/vms/${vmId}/telemetry?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z`;
    assert.deepEqual(pointers(assertProblem(await send('GET', path), 400, 'telemetry.range_invalid')), ['from']);
});

test('5.0 is an integer; 5.5, "5", 1e400 and 2^64 are none', async () => {
    const token = (uses) => send('POST', '/v1/agents/enrollment-tokens', `{"uses":${uses}}`);
    assert.equal((await token('5.0')).status, 201);
    assert.equal((await token('5e0')).status, 201);
    for (const wrong of ['5.5', '"5"', '1e400', '18446744073709551616', '-1', '0', '1001', 'true', 'null', '[5]'])
        assertProblem(await token(wrong), 400);
});

test('an unknown key is refused by name in our bodies and ignored in an agent\'s', async () => {
    assert.deepEqual(pointers(assertProblem(await key('{"name":"x","extra":1}'), 400)), ['/extra']);
    assert.equal((await agent.heartbeat({ ofAFutureRelease: { a: [1] } })).status, 200);
});

test('text from the client comes back escaped, never as a header', async () => {
    const answer = await send('GET', '/v1/%0d%0aSet-Cookie:%20x=1');
    assertProblem(answer, 404);
    assert.equal(answer.headers['set-cookie'], undefined);
    const odd = await controlPlane.get('/v1/nothing', { headers: { 'x-request-id': '"><script>' } });
    assert.match(odd.headers['x-request-id'], /^req_/);
    const own = await controlPlane.get('/v1/nothing', { headers: { 'x-request-id': 'mine-1' } });
    assert.equal(own.headers['x-request-id'], 'mine-1');
});

// --- the wire: one request is one request (tests/hostile has many more of these) ---

const smuggling = {
    'Content-Length with Transfer-Encoding': 'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'two Content-Lengths': 'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    'a bare line feed': 'GET /healthz HTTP/1.1\nHost: x\n\n',
    'a chunk size that overflows': 'POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n',
    'HTTP/0.9': 'GET /healthz\r\n\r\n',
    'a header of 20 KB': `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    '200 header fields': `GET /healthz HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(200)}\r\n`,
};
for (const [what, bytes] of Object.entries(smuggling))
    test(`${what}: refused, and the connection is closed`, async () => {
        const probe = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
        const answer = await rawRequest(controlPlane.port, Buffer.from(bytes + probe, 'latin1'));
        if (answer !== '') {
            assert.match(answer, /^HTTP\/1\.[01] 4\d\d /);
            assert.match(answer, /application\/problem\+json/);
            assert.equal(answer.match(/HTTP\/1\.1 \d{3} /g).length, 1, `what follows is not answered:\n${answer}`);
        }
    });

test('a client that dawdles is cut off, and pipelined requests are answered in order', async () => {
    const two = await rawRequest(
        controlPlane.port,
        'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    assert.deepEqual(two.match(/HTTP\/1\.1 \d{3}/g), ['HTTP/1.1 200', 'HTTP/1.1 404']);
    const slow = await rawRequest(controlPlane.port, 'GET /healthz HTTP/1.1\r\nHost:', { within: 30_000 });
    if (slow) assert.match(slow, /^HTTP\/1\.1 408 /);
});

test('after all that the server serves as before', async () => {
    assert.equal((await controlPlane.get('/healthz')).status, 200);
    assert.equal((await controlPlane.get('/v1/auth/me', { as: controlPlane.owner })).status, 200);
});
