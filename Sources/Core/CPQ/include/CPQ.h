// libpq, the C library of PostgreSQL.
#pragma once
#include <postgresql/libpq-fe.h>

// Character macros that Swift cannot import as the integers that libpq takes.
static inline const char *flotilla_pq_sqlstate(const PGresult *result) { return PQresultErrorField(result, PG_DIAG_SQLSTATE); }
// In English; a pooler may send the word for people alone, which is English there.
static inline const char *flotilla_pq_severity(const PGresult *result) {
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity ? severity : PQresultErrorField(result, PG_DIAG_SEVERITY);
}
static inline const char *flotilla_pq_message(const PGresult *result) { return PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY); }
static inline const char *flotilla_pq_constraint(const PGresult *result) { return PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME); }
