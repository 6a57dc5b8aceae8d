// HTTP/1.1 as tests need it: every answer is a value, nothing is retried, each request has a
// connection of its own unless an agent is passed, and bytes can be sent that no client would send.

import http from 'node:http';
import net from 'node:net';

// {method, headers, body, json, signal} -> {status, headers, text, json}. A body that is an object
// goes out as JSON unless the headers say otherwise.
export function request(url, { method = 'GET', headers = {}, body, within = 30_000, agent = false, signal } = {}) {
    let bytes = body;
    const given = { ...headers };
    if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) {
        bytes = JSON.stringify(body);
        given['content-type'] ??= 'application/json';
    }
    if (bytes !== undefined) given['content-length'] ??= Buffer.byteLength(bytes);
    return new Promise((done, failed) => {
        const outgoing = http.request(url, { method, headers: given, agent, signal }, (incoming) => {
            const parts = [];
            incoming.on('data', (part) => parts.push(part));
            incoming.on('error', failed);
            incoming.on('end', () => done(answerOf(incoming, Buffer.concat(parts).toString('utf8'))));
        });
        outgoing.setTimeout(within, () => outgoing.destroy(new Error(`${method} ${url}: no answer in ${within / 1000} s`)));
        outgoing.on('error', failed);
        outgoing.end(bytes);
    });
}

function answerOf(incoming, text) {
    const type = incoming.headers['content-type'] ?? '';
    const json = text && /[/+]json\b/.test(type) ? JSON.parse(text) : undefined;
    return { status: incoming.statusCode, headers: incoming.headers, text, json };
}

// Sends exactly these bytes and returns all that comes back until the server closes the connection,
// or until `isEnough` says so.
export function rawRequest(port, bytes, { within = 15_000, isEnough = () => false } = {}) {
    return new Promise((done, failed) => {
        let received = '';
        const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
        const timer = setTimeout(() => {
            socket.destroy();
            failed(new Error(`the connection was neither answered nor closed in ${within / 1000} s; got ${JSON.stringify(received)}`));
        }, within);
        const finish = () => {
            clearTimeout(timer);
            socket.destroy();
            done(received);
        };
        socket.setEncoding('latin1');
        socket.on('data', (text) => {
            received += text;
            if (isEnough(received)) finish();
        });
        socket.on('error', finish);  // a reset is a way to close
        socket.on('close', finish);
    });
}
