-- The roles of the composed database; run as its superuser at every start, before `mailrun migrate`.
-- A volume of an older version is brought to the same state.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_PASSWORD
\getenv application_password APPLICATION_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', wanted)
  FROM unnest(ARRAY['mailrun_owner', 'mailrun_app']) AS wanted
 WHERE to_regrole(wanted) IS NULL
\gexec

ALTER ROLE mailrun_owner PASSWORD :'owner_password';
ALTER ROLE mailrun_app PASSWORD :'application_password';

SELECT format('ALTER DATABASE %I OWNER TO mailrun_owner', current_database())
\gexec

SELECT format('ALTER %s %s OWNER TO mailrun_owner', kind, name)
  FROM (SELECT 'TABLE' AS kind, oid::regclass::text AS name, relowner AS owner, relnamespace AS namespace
          FROM pg_class
         WHERE relkind IN ('r', 'p', 'v', 'm')
        UNION ALL
        SELECT 'ROUTINE', oid::regprocedure::text, proowner, pronamespace FROM pg_proc) AS owned
 WHERE namespace = 'public'::regnamespace AND owner = CURRENT_USER::regrole
\gexec
