// An HTTP proxy for VMs, on the test's side: http_proxy.mjs ADDRESS PORT [HOST=ADDRESS:PORT…]. It
// knows those hosts, carries CONNECT and GET there, and says each request in a line. With USER_NAME and
// PASSWORD in its environment it wants them (Basic).

import { createServer, request } from 'node:http';
import { connect } from 'node:net';

const [address, port, ...words] = process.argv.slice(2);
const hosts = new Map(words.map((word) => word.split('=')));
const { USER_NAME, PASSWORD } = process.env;
const wanted = USER_NAME && `Basic ${Buffer.from(`${USER_NAME}:${PASSWORD}`).toString('base64')}`;

const isKnown = ({ headers }) => !wanted || headers['proxy-authorization'] === wanted;
const placeOf = (host) => {
    const [name, at] = (hosts.get(host) ?? '').split(':');
    return name && { host: name, port: Number(at) };
};

const server = createServer((asked, answer) => {
    console.log(`${asked.method} ${asked.url}`);
    const place = placeOf(new URL(asked.url).host);
    if (!isKnown(asked)) return answer.writeHead(407, { 'proxy-authenticate': 'Basic realm="x"' }).end();
    if (!place) return answer.writeHead(502).end('unknown host\n');
    const { pathname, search } = new URL(asked.url);
    return asked.pipe(request({ ...place, method: asked.method, path: pathname + search, headers: { host: new URL(asked.url).host } }, (got) => {
        answer.writeHead(got.statusCode, got.headers);
        got.pipe(answer);
    }).on('error', (error) => answer.writeHead(502).end(`${error.message}\n`)));
});
server.on('connect', (asked, near, head) => {
    console.log(`CONNECT ${asked.url}`);
    const place = placeOf(asked.url);
    near.on('error', () => {});
    if (!isKnown(asked)) return near.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n');
    if (!place) return near.end('HTTP/1.1 502 Unknown host\r\nContent-Length: 0\r\n\r\n');
    const far = connect(place, () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.write(head);
        far.pipe(near).pipe(far);
    });
    return far.on('error', () => near.destroy());
});
server.listen(Number(port), address, () => console.log('listens'));
