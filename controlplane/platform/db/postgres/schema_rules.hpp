#pragma once

// What PostgreSQL needs beside the migrations' own text, run by the owner in the same transaction.

#include <string_view>

namespace synapsex::db {

// The two roles that own nothing. Roles belong to the whole cluster, so several databases share
// them: they can do nothing where nothing was granted to them.
constexpr std::string_view kPrepareDatabase = R"sql(
DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['synapsex_tenant', 'synapsex_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), wanted);
    END LOOP;
END $$;
)sql";

// After a script. Every text compares by its bytes, as on SQLite. Every table is open to both
// roles; one with a tenant_id shows the tenant's role that tenant's rows only. The owner, being a
// member of both, sees all while it migrates.
constexpr std::string_view kFinishTables = R"sql(
DO $$
DECLARE t record; c record;
BEGIN
    FOR c IN
        SELECT columns.table_name, columns.column_name FROM information_schema.columns
        JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
            AND data_type = 'text' AND collation_name IS NULL
    LOOP
        EXECUTE format(
            'ALTER TABLE %I ALTER COLUMN %I TYPE text COLLATE "C"', c.table_name, c.column_name);
    END LOOP;
    FOR t IN
        SELECT class.oid, relname FROM pg_class class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
            AND pg_has_role(current_user, relowner, 'MEMBER')
    LOOP
        EXECUTE format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO synapsex_tenant, synapsex_system',
            t.relname);
        CONTINUE WHEN NOT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = t.oid AND attname = 'tenant_id' AND NOT attisdropped);
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_policy WHERE polrelid = t.oid AND polname = 'synapsex_tenant_rows');
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t.relname);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t.relname);
        EXECUTE format(
            'CREATE POLICY synapsex_tenant_rows ON %I TO synapsex_tenant '
            'USING (tenant_id = current_setting(''synapsex.tenant_id''))', t.relname);
        EXECUTE format(
            'CREATE POLICY synapsex_system_rows ON %I TO synapsex_system USING (true)', t.relname);
    END LOOP;
END $$;
)sql";

}  // namespace synapsex::db
