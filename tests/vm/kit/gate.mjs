// Runs in the namespace of a network: takes a listening socket of the machine from its parent and
// carries each connection on to HOST PORT in there.

import { connect } from 'node:net';

const [host, port] = process.argv.slice(2);

process.once('message', (_, server) => {
    server.on('connection', (here) => {
        const there = connect({ host, port: Number(port), allowHalfOpen: true });
        const end = () => { here.resetAndDestroy(); there.resetAndDestroy(); };
        here.on('error', end);
        there.on('error', end);
        here.pipe(there).pipe(here);
    });
    process.send('ready', () => process.disconnect());
});
