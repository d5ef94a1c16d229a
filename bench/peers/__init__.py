"""The same job as people write it without Mailrun: a Celery chain, and a DBOS workflow."""
