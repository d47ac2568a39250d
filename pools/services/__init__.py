"""Rules: functions over models. They raise domain errors and know no HTTP, no AWS shapes and no Celery."""
