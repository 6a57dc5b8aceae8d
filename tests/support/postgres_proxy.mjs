// Between a control plane and PostgreSQL (or its pooler): lets a test read and rewrite the statements
// that pass, as somebody would who changed the program. Of the protocol (PostgreSQL 15, chapter 55) it
// knows the frame of the client's messages, and the text in Query ('Q') and Parse ('P').

import net from 'node:net';

import { freePort } from './processes.mjs';

const kTyped = /\$(\d+)::(?:text|bigint|boolean|double precision|bytea)\b/g;  // the control plane adds the types

export class PostgresProxy {
    // `to`: "host:port". `rewrite(sql, {role})` gives back the text that goes on; role is "tenant" or
    // "system", whichever the transaction works in, or undefined.
    static async before(to, rewrite) {
        const proxy = new PostgresProxy();
        proxy.rewrite = rewrite;
        const [host, port] = to.split(':');
        proxy.port = await freePort();
        proxy.sockets = new Set();
        proxy.server = net.createServer((client) => proxy.connect(client, net.connect(Number(port), host)));
        await new Promise((done) => { proxy.server.listen(proxy.port, '127.0.0.1', done); });
        proxy.address = `127.0.0.1:${proxy.port}`;
        return proxy;
    }

    connect(client, server) {
        for (const [one, other] of [[client, server], [server, client]]) {
            this.sockets.add(one);
            one.setNoDelay(true);
            one.on('error', () => {});
            one.once('close', () => {
                this.sockets.delete(one);
                other.destroy();
            });
        }
        server.on('data', (bytes) => client.write(bytes));
        const connection = { pending: Buffer.alloc(0), isStarted: false, role: undefined };
        client.on('data', (bytes) => server.write(this.take(connection, bytes)));
    }

    // The whole messages that have come, rewritten; what is left waits for its rest.
    take(connection, bytes) {
        connection.pending = Buffer.concat([connection.pending, bytes]);
        const out = [];
        for (;;) {
            const { pending, isStarted } = connection;
            const head = isStarted ? 1 : 0;  // the first messages have no type
            if (pending.length < head + 4) break;
            const length = head + pending.readInt32BE(head);
            if (pending.length < length) break;
            const message = pending.subarray(0, length);
            connection.pending = pending.subarray(length);
            // Version 3.0 starts the session; asking for TLS and canceling do not.
            if (!isStarted) connection.isStarted = message.readInt32BE(4) === 196608;
            out.push(isStarted ? this.change(connection, message) : message);
        }
        return Buffer.concat(out);
    }

    change(connection, message) {
        const type = String.fromCharCode(message[0]);
        if (type !== 'Q' && type !== 'P') return message;
        const start = type === 'P' ? message.indexOf(0, 5) + 1 : 5;  // behind the statement's name
        const end = message.indexOf(0, start);
        const sql = message.toString('utf8', start, end);
        if (/^BEGIN/.test(sql)) connection.role = /SET LOCAL ROLE synapsex_(\w+)/.exec(sql)?.[1];
        const text = this.rewrite(sql, { role: connection.role });
        if (text === sql) return message;
        const changed = Buffer.concat([message.subarray(0, start), Buffer.from(text), message.subarray(end)]);
        changed.writeInt32BE(changed.length - 1, 1);
        return changed;
    }

    async end() {
        for (const socket of this.sockets) socket.destroy();
        await new Promise((done) => { this.server.close(done); });
    }
}

// As it stands in the source: without the types of its parameters, on one line.
export const plainSql = (sql) => sql.replace(kTyped, '$$$1').replace(/\s+/g, ' ').trim();
