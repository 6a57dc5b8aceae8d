// Which way dependencies point. Each ban says why; a ban whose files are gone fails too, so that the
// table does not outlive what it guards.

import assert from 'node:assert/strict';
import test from 'node:test';

import { code, glob, includesOf, product } from './source_tree.mjs';

const bans = [
    { from: 'shared/**', not: ['agent/**', 'controlplane/**'], why: 'both programs stand on shared, never the reverse', except: ['agent/v1/*.pb.h'] },
    { from: 'shared/base/**', not: ['shared/net/**', 'shared/crypto/**', 'shared/sqlite/**', 'shared/proto/**'], why: 'base is the floor' },
    { from: 'shared/sqlite/**', not: ['shared/net/**', 'shared/crypto/**'], why: 'siblings do not lean on each other' },
    { from: 'agent/**', not: ['controlplane/**'], why: 'agent and control plane share messages, not code' },
    { from: 'controlplane/**', not: ['agent/**'], why: 'agent and control plane share messages, not code', except: ['agent/v1/*.pb.h'] },
    { from: 'agent/core/**', not: ['boost/asio/**', 'boost/asio.hpp', 'curl/**', 'sqlite3.h', 'sys/**', 'unistd.h', 'agent/worker/**', 'agent/transport/**', 'agent/spool/**', 'agent/platform/**'], why: 'decisions are made without I/O' },
    { from: 'agent/executor/**', not: ['shared/net/**', 'agent/worker/**', 'agent/core/**', 'agent/transport/**', 'curl/**', 'openssl/**'], why: 'the process with root has no network' },
    { from: 'controlplane/platform/**', not: ['controlplane/services/**', 'controlplane/app/**', 'controlplane/cli/**'], why: 'the platform serves the 24th service unchanged' },
    { from: 'controlplane/platform/db/**', not: ['controlplane/platform/http/**', 'controlplane/platform/api/**'], why: 'a database knows no HTTP' },
    { from: 'controlplane/platform/api/**', not: ['controlplane/platform/http/**', 'boost/beast/**', 'boost/beast.hpp', 'boost/asio/**'], why: 'operations are typed without a server' },
    { from: 'controlplane/services/*/service.*', not: ['controlplane/platform/http/**'], why: 'rules run without HTTP' },
    { from: 'controlplane/services/*/store.*', not: ['controlplane/platform/http/**', 'controlplane/platform/api/router.hpp'], why: 'SQL runs without HTTP' },
    { from: 'controlplane/services/*/routes.cpp', not: ['controlplane/platform/db/**', 'controlplane/services/*/store.hpp'], why: 'a route that needs SQL is a missing function of the service' },
    { from: 'controlplane/services/**', not: ['controlplane/app/**', 'controlplane/cli/**'], why: 'services are wired from outside' },
    { from: 'controlplane/cli/**', not: ['controlplane/platform/http/**', 'controlplane/platform/db/**', 'controlplane/app/**', 'controlplane/services/*/service.hpp', 'controlplane/services/*/store.hpp', 'controlplane/services/*/module.hpp'], why: 'the CLI is a client: it knows the contract only' },
];

// A library, and the only folders that may include it.
const owners = [
    { what: ['boost/beast/**', 'boost/beast.hpp', 'boost/asio/**', 'boost/asio.hpp'], by: ['controlplane/platform/http/**'], why: 'one HTTP server; coroutines live at the edge' },
    { what: ['boost/asio/ssl/**', 'boost/asio/ssl.hpp'], by: [], why: 'a parked TLS connection costs five times the memory: TLS gets a transport of its own' },
    { what: ['sqlite3.h'], by: ['shared/sqlite/**'], why: 'one SQLite wrapper' },
    { what: ['pqxx/**'], by: ['controlplane/platform/db/postgres/**'], why: 'one database interface' },
    { what: ['curl/**'], by: ['shared/net/**'], why: 'one HTTP client' },
    { what: ['argon2.h', 'openssl/**'], by: ['shared/crypto/**', 'shared/net/**'], why: 'one place for cryptography' },
    { what: ['agent/v1/agent.pb.h'], by: ['agent/transport/**', 'controlplane/services/agent_registry/protobuf_codec*.cpp'], why: 'generated code stops at the boundary' },
    { what: ['agent/v1/executor.pb.h'], by: ['agent/executor/**'], why: 'generated code stops at the boundary' },
    { what: ['controlplane/platform/api/codec_impl.hpp'], by: ['controlplane/services/*/api.cpp', 'controlplane/platform/api/**', 'controlplane/platform/context/claims.cpp', 'controlplane/platform/idempotency/sealed_reply.cpp'], why: 'a codec costs about 1 s of compile time: it is instantiated once' },
    { what: ['toml++/**'], by: ['controlplane/app/config.cpp', 'agent/**'], why: 'configuration is read in one place' },
    { what: ['CLI/CLI.hpp', 'CLI/**'], by: ['controlplane/main.cpp', 'controlplane/cli/**', 'agent/**'], why: 'command lines are parsed by programs' },
];

for (const ban of bans) {
    test(`${ban.from} does not include ${ban.not[0]}: ${ban.why}`, () => {
        const sources = code.filter((path) => glob(ban.from).test(path));
        assert.ok(sources.length > 0, `no file matches ${ban.from}: mend the table`);
        const allowed = (ban.except ?? []).map(glob);
        const wrong = sources.filter((path) => !/_test\.cpp$/.test(path)).flatMap((path) =>
            includesOf(path)
                .filter((include) => ban.not.some((pattern) => glob(pattern).test(include)))
                .filter((include) => !allowed.some((pattern) => pattern.test(include)))
                .map((include) => `${path} includes ${include}`));
        assert.deepEqual(wrong, [], ban.why);
    });
}

for (const owner of owners) {
    test(`only ${owner.by.join(', ') || 'nobody'} includes ${owner.what[0]}: ${owner.why}`, () => {
        const wrong = code
            .filter((path) => !path.startsWith('tests/'))
            .filter((path) => !/_test\.cpp$/.test(path))
            .filter((path) => !owner.by.some((pattern) => glob(pattern).test(path)))
            .flatMap((path) => includesOf(path)
                .filter((include) => owner.what.some((pattern) => glob(pattern).test(include)))
                .map((include) => `${path} includes ${include}`));
        assert.deepEqual(wrong, [], owner.why);
    });
}

test('a service includes of another only its public.hpp', () => {
    const service = /^controlplane\/services\/([a-z_]+)\//;
    const wrong = product.filter((path) => service.test(path)).flatMap((path) => {
        const own = path.match(service)[1];
        return includesOf(path)
            .filter((include) => service.test(include) && include.match(service)[1] !== own)
            .filter((include) => !/\/(public|inventory|inventory_docs)\.hpp$/.test(include))
            .map((include) => `${path} includes ${include}`);
    });
    assert.deepEqual(wrong, [], 'call through the narrow interface, or subscribe to an event');
});

test('services depend on each other in one order', () => {
    const order = ['tenant', 'vm_registry', 'agent_registry', 'auth', 'audit', 'api_gateway'];
    const service = /^controlplane\/services\/([a-z_]+)\//;
    const wrong = product.filter((path) => service.test(path)).flatMap((path) => {
        const own = order.indexOf(path.match(service)[1]);
        return includesOf(path)
            .filter((include) => service.test(include))
            .filter((include) => order.indexOf(include.match(service)[1]) > own && own >= 0)
            .map((include) => `${path} includes ${include}`);
    });
    assert.deepEqual(wrong, [], `a service may call those to its left: ${order.join(' <- ')}`);
});

test('only module.cpp and app make a module of a service', () => {
    const wrong = product
        .filter((path) => !/^controlplane\/app\/|\/module\.[ch]pp$/.test(path))
        .filter((path) => includesOf(path).some((include) => /services\/[a-z_]+\/module\.hpp$/.test(include)));
    assert.deepEqual(wrong, [], 'the composition root is app/services.cpp');
});
