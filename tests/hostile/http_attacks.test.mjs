// What strangers send to the public port: requests that two parsers would read differently,
// connections that never finish, more of everything than there is room for. Each has to be answered
// or cut, and nobody else may notice.

import assert from 'node:assert/strict';
import net from 'node:net';
import test, { after, before } from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { rawRequest } from '../support/http.mjs';
import { eventually } from '../support/processes.mjs';

const connectionsMax = 300;
let controlPlane;
before(async () => {
    controlPlane = await ControlPlane.start({ settings: ['--connections-max', `${connectionsMax}`] });
});
after(async () => { await controlPlane?.stop(); });

const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

// The problem document of the one answer in `text`.
function problemOf(text) {
    const [head, body] = text.split('\r\n\r\n');
    assert.match(head, /^content-type: application\/problem\+json/im, text);
    assert.match(head, /^connection: close$/im, text);
    const problem = JSON.parse(body);
    assert.ok(problem.code && problem.title && problem.requestId, text);
    assert.match(head, new RegExp(`^x-request-id: ${problem.requestId}$`, 'im'), text);
    return problem;
}

const smuggled = 'GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n';
const post = (framing, body) => `POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`;
const attacks = {
    'length, then chunks': post('Content-Length: 6\r\nTransfer-Encoding: chunked', '0\r\n\r\nX'),
    'chunks, then length': post('Transfer-Encoding: chunked\r\nContent-Length: 6', '0\r\n\r\nX'),
    'chunks hidden from others by a tab': post('Content-Length: 6\r\nTransfer-Encoding:\tchunked', '0\r\n\r\nX'),
    'chunks hidden from others by a fold': post('Content-Length: 6\r\nTransfer-Encoding:\r\n chunked', '0\r\n\r\nX'),
    'chunks under a second coding': post('Transfer-Encoding: chunked, identity', '0\r\n\r\n'),
    'chunks twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    'two lengths': post('Content-Length: 0\r\nContent-Length: 44', ''),
    'two equal lengths': post('Content-Length: 2\r\nContent-Length: 2', '{}'),
    'a length with a sign': post('Content-Length: +2', '{}'),
    'a space before the colon': post('Content-Length : 2', '{}'),
    'a chunk that ends in LF': post('Transfer-Encoding: chunked', '2\n{}\r\n0\r\n\r\n'),
    'LF in a quoted chunk extension': post('Transfer-Encoding: chunked', '2;a="\n"\r\n{}\r\n0\r\n\r\n'),
    'a header that ends in LF': 'GET /healthz HTTP/1.1\nHost: a\n\n',
    'an absolute target': 'GET http://elsewhere/healthz HTTP/1.1\r\nHost: a\r\n\r\n',
    'two hosts': 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'no host': 'GET /healthz HTTP/1.1\r\n\r\n',
    'NUL in a header': 'GET /healthz HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n',
    'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
};

for (const [name, bytes] of Object.entries(attacks)) {
    test(`${name}: refused, and what follows is never read as a request`, async () => {
        const text = await rawRequest(controlPlane.port, Buffer.from(bytes + smuggled, 'latin1'));
        assert.deepEqual(statuses(text), [400], text);
        assert.equal(problemOf(text).code, 'request.malformed');
    });
}

test('a header without end is refused at its limit', async () => {
    const text = await rawRequest(controlPlane.port, `GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`);
    assert.deepEqual(statuses(text), [431]);
    assert.equal(problemOf(text).code, 'request.header_too_large');
});

test('a body beyond its limit is refused before it is read', async () => {
    const text = await rawRequest(controlPlane.port, post('Content-Length: 99999999999', ''));
    assert.deepEqual(statuses(text), [413]);
    assert.equal(problemOf(text).code, 'request.body_too_large');
});

test('a chunked body beyond its limit is refused while it is read', async () => {
    const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
    const text = await rawRequest(controlPlane.port, post('Transfer-Encoding: chunked', chunk.repeat(1000)));
    assert.deepEqual(statuses(text), [413]);
    assert.equal(problemOf(text).code, 'request.body_too_large');
});

const connect = () => new Promise((done, failed) => {
    const socket = net.connect(controlPlane.port, '127.0.0.1', () => done(socket));
    socket.text = '';
    socket.setEncoding('latin1').on('data', (text) => { socket.text += text; });
    socket.once('error', failed);
    socket.on('error', () => {});
    socket.ended = new Promise((ended) => { socket.once('close', ended); });
});

test('slow headers are cut off with 408 while others are served', { timeout: 60_000 }, async () => {
    const slow = await Promise.all(Array.from({ length: 100 }, connect));
    for (const socket of slow) socket.write('GET /healthz HTTP/1.1\r\nX: ');
    const drip = setInterval(() => { for (const socket of slow) socket.write('a'); }, 500);
    try {
        let served = 0;
        let isOver = false;
        const ends = Promise.all(slow.map((socket) => socket.ended)).then(() => { isOver = true; });
        while (!isOver) {
            assert.equal((await controlPlane.get('/healthz')).status, 200);
            served += 1;
        }
        await ends;
        assert.ok(served > 10);
    } finally {
        clearInterval(drip);
    }
    for (const socket of slow) assert.deepEqual(statuses(socket.text), [408], socket.text);
});

test('a flood of connections gets 503 and leaves no trace', { timeout: 60_000 }, async () => {
    const flood = await Promise.all(Array.from({ length: connectionsMax + 200 }, connect));
    const refused = await eventually('the last ones are refused', () => {
        const found = flood.filter((socket) => socket.text.includes('\r\n\r\n'));
        return found.length >= 200 && found;
    });
    for (const socket of refused) {
        assert.deepEqual(statuses(socket.text), [503]);
        assert.match(socket.text, /^retry-after: \d+$/im);
    }
    for (const socket of flood) socket.destroy();
    await eventually('there is room again', async () => (await controlPlane.get('/healthz')).status === 200);
});
