#include "cli/check/provider.hpp"

#include <fmt/format.h>

namespace pgat::cli::check {

Provider provider_of(postgres::Connection &sql) {
    const auto row =
        sql.exec("SELECT CASE "
                 "WHEN EXISTS (SELECT FROM pg_proc WHERE proname = 'aurora_version') THEN 'aurora' "
                 "WHEN to_regrole('rds_superuser') IS NOT NULL THEN 'rds' "
                 "WHEN to_regrole('alloydbsuperuser') IS NOT NULL THEN 'alloydb' "
                 "WHEN to_regrole('cloudsqlsuperuser') IS NOT NULL THEN 'cloud_sql' "
                 "WHEN to_regrole('azure_pg_admin') IS NOT NULL THEN 'azure' "
                 "WHEN to_regrole('supabase_admin') IS NOT NULL THEN 'supabase' "
                 "WHEN to_regrole('neon_superuser') IS NOT NULL THEN 'neon' ELSE '' END");
    const std::string_view found = row.text(0, 0);
    if (found == "aurora") return Provider::aurora;
    if (found == "rds") return Provider::rds;
    if (found == "alloydb") return Provider::alloydb;
    if (found == "cloud_sql") return Provider::cloud_sql;
    if (found == "azure") return Provider::azure;
    if (found == "supabase") return Provider::supabase;
    if (found == "neon") return Provider::neon;
    return Provider::none;
}

std::string_view name_of(Provider provider) noexcept {
    switch (provider) {
    case Provider::none:
        return "";
    case Provider::rds:
        return "Amazon RDS";
    case Provider::aurora:
        return "Amazon Aurora";
    case Provider::cloud_sql:
        return "Google Cloud SQL";
    case Provider::alloydb:
        return "Google AlloyDB";
    case Provider::azure:
        return "Azure Database for PostgreSQL";
    case Provider::supabase:
        return "Supabase";
    case Provider::neon:
        return "Neon";
    }
    return "";
}

std::string set_parameter(Provider provider, std::string_view name, std::string_view value) {
    switch (provider) {
    case Provider::none:
        break;
    case Provider::rds:
        return fmt::format("set {} = {} in the instance's parameter group", name, value);
    case Provider::aurora:
        return fmt::format("set {} = {} in the DB cluster parameter group", name, value);
    case Provider::cloud_sql:
    case Provider::alloydb:
        return fmt::format("set the instance's database flag {} = {}", name, value);
    case Provider::azure:
        return fmt::format("set the server parameter {} = {}", name, value);
    case Provider::supabase:
        return fmt::format("supabase postgres-config update --config {}={}", name, value);
    case Provider::neon:
        return fmt::format("{} = {} is Neon's to set: ask its support", name, value);
    }
    const bool number = value.find_first_not_of("0123456789") == std::string_view::npos;
    return fmt::format("ALTER SYSTEM SET {0} = {2}{1}{2};", name, value, number ? "" : "'");
}

std::string enable_logical(Provider provider) {
    switch (provider) {
    case Provider::rds:
    case Provider::aurora:
        return set_parameter(provider, "rds.logical_replication", "1") + ", then reboot";
    case Provider::cloud_sql:
        return set_parameter(provider, "cloudsql.logical_decoding", "on") + ", which restarts it";
    case Provider::alloydb:
        return set_parameter(provider, "alloydb.logical_decoding", "on") + ", which restarts it";
    case Provider::azure:
        return set_parameter(provider, "wal_level", "logical") + ", then restart the server";
    case Provider::neon:
        return "enable logical replication in the project's settings, which restarts its computes";
    case Provider::supabase: // has it from the start
    case Provider::none:
        break;
    }
    return set_parameter(Provider::none, "wal_level", "logical");
}

std::string grant_replication(Provider provider, std::string_view role) {
    if (provider == Provider::rds || provider == Provider::aurora)
        return fmt::format("GRANT rds_replication TO {};", role);
    // The others' administrators may give the attribute away.
    return fmt::format("ALTER ROLE {} REPLICATION;", role);
}

} // namespace pgat::cli::check
