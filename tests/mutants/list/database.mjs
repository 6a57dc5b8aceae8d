// Faults in platform/db that are not of one engine.

const tests = ['synapsex_platform_db_test'];

export default [
    {
        id: 'the-hash-of-an-applied-migration-is-not-compared',
        file: 'controlplane/platform/db/migrate.cpp',
        find: 'if (record.sha256 != crypto::sha256_hex(known.sql))',
        replace: 'if (record.sha256.size() != crypto::sha256_hex(known.sql).size())',
        why: 'an edited migration gives two installations two schemas',
        tests,
    },
    {
        id: 'an-older-release-starts-on-a-newer-schema',
        file: 'controlplane/platform/db/migrate.cpp',
        find: 'for (std::size_t i = 0; i < applied.size(); ++i) {',
        replace: 'for (std::size_t i = 0; i < std::min(applied.size(), service.migrations.size()); ++i) {',
        why: 'it writes rows that the newer one cannot read',
        tests,
    },
    {
        id: 'services-are-migrated-before-all-are-verified',
        file: 'controlplane/platform/db/migrate.cpp',
        find: '            const auto applied = list_verified(change.session(), service);\n            if (applied.size() < service.migrations.size()) behind.push_back(service);\n            if (applied.size() > service.migrations.size()) log_newer(service, applied.back());\n',
        replace: '            behind.push_back(service);\n',
        why: 'a start that is refused has already changed half of the database',
        tests,
    },
    {
        id: 'a-transaction-inside-another-is-not-refused',
        file: 'controlplane/platform/db/database.cpp',
        find: 'if (is_inside_transaction) throw NestedTransaction',
        replace: 'if (false) throw NestedTransaction',
        why: 'it works on PostgreSQL and stops the writer for ever on SQLite',
        tests,
    },
    {
        id: 'a-zero-byte-in-a-text-is-let-through',
        file: 'controlplane/platform/db/database.cpp',
        find: "if (text->find('\\0') != text->npos || !count_code_points(*text))",
        replace: 'if (!count_code_points(*text))',
        why: 'PostgreSQL is sent the text up to there: another name, another tenant',
        tests: [...tests, 'synapsex_platform_db_test on PostgreSQL'],
    },
    {
        id: 'a-line-is-appended-to-the-first-row-that-has-room',
        file: 'controlplane/platform/db/appended.cpp',
        find: 'const auto newest_first = std::views::reverse(rows_);',
        replace: 'const auto newest_first = std::views::all(rows_);',
        why: 'a small message overtakes a large one that came before it',
        tests,
    },
];
