"""Actions of operators: doctor, activation, archive, demo, orphans, templates and HTTP."""
