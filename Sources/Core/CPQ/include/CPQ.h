// libpq, the C library of PostgreSQL.
#pragma once
#include <postgresql/libpq-fe.h>

// Character macros that Swift cannot import as the integers that libpq takes.
static inline const char *flotilla_pq_sqlstate(const PGresult *result) { return PQresultErrorField(result, PG_DIAG_SQLSTATE); }
static inline const char *flotilla_pq_message(const PGresult *result) { return PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY); }
static inline const char *flotilla_pq_constraint(const PGresult *result) { return PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME); }
