"""What the role of the running application may do: read and write rows, in the tables of today and of later."""

from typing import Final

from sqlalchemy import Connection, text

# Sequences behind identity columns need no privilege; one that a later migration makes by itself would.
_GRANTS: Final = (
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    # Which revision the tables have is for migrations to say.
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
)
# Default privileges are the last thing to be granted: with them, and a right to every table, all is done.
_IS_GRANTED: Final = text("""
    SELECT (SELECT count(*) = 2 FROM pg_default_acl, aclexplode(defaclacl)
             WHERE defaclnamespace = current_schema()::regnamespace AND defaclrole = current_user::regrole
               AND grantee = to_regrole(quote_ident(:role)) AND privilege_type = 'SELECT')
       AND NOT has_table_privilege(:role, 'alembic_version', 'UPDATE')
       AND (SELECT bool_and(has_table_privilege(:role, oid, 'SELECT')
                        AND has_table_privilege(:role, oid, 'INSERT')
                        AND has_table_privilege(:role, oid, 'UPDATE')
                        AND has_table_privilege(:role, oid, 'DELETE'))
              FROM pg_class
             WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
               AND relname <> 'alembic_version')
""")


def grant_to_application(connection: Connection, role: str) -> None:
    """Give the application's role what its statements need, unless it has that; the caller is the tables' owner."""
    if connection.scalar(_IS_GRANTED, {"role": role}):
        return
    quote = connection.dialect.identifier_preparer.quote_identifier
    schema = quote(str(connection.scalar(text("SELECT current_schema()"))))
    for grant in _GRANTS:
        connection.exec_driver_sql(grant.format(schema=schema, role=quote(role)))
