"""Times: schedules, recurrence rules, cron expressions, zones, the postal calendar and delivery options."""
