"""Django's settings, by what the environment says (``identity.environment``).

Everything else reads ``django.conf.settings``.
"""

from __future__ import annotations

import os
from pathlib import Path

from identity import environment_reading
from identity.foundation import server_urls

BASE_DIR = Path(__file__).resolve().parent.parent
environment = environment_reading.environment()

MODE = environment.mode
DEBUG = environment.debug
DEMO = bool(environment.demo)
DATA_DIR = environment.data_dir
BASE_URL = environment.base_url
CONSOLE_URL = environment.console_url
TLS_PORT = environment.tls_port
REGION = environment.region
ACCOUNT_ID = environment.account_id
SECRET_KEYS_FILE = environment.secret_keys_file or environment.data_dir / "secret_keys"
TRUSTED_PROXIES = environment.trusted_proxies
WEB_WORKERS, WEB_THREADS, WEB_NODES = environment.web_workers, environment.web_threads, environment.web_nodes
WORKER_THREADS = environment.worker_threads
HASH_WAITERS, HASH_DEADLINE = environment.hash_waiters, environment.hash_deadline
REDIS_URL = environment.redis_url or "redis://localhost:6379/0"
REDIS_PREFIX = environment.redis_prefix
STS_ENDPOINT_URL, STS_PUBLIC_URL = environment.sts_endpoint_url, environment.sts_public_url
GUEST_SESSION_POLICY = environment.guest_session_policy
BREACHED_PASSWORDS_URL = environment.breached_passwords_url
MAIL_CHANNEL = environment.mail_channel
SMS_CHANNEL = environment.sms_channel.removeprefix("none")
MESSAGES_KEYS = (environment.messages_access_key_id, environment.messages_secret_access_key)
SES_REGION, SNS_REGION, EUMS_REGION = environment.ses_region, environment.sns_region, environment.eums_region
SES_ENDPOINT_URL, SNS_ENDPOINT_URL = environment.ses_endpoint_url, environment.sns_endpoint_url
EUMS_ENDPOINT_URL = environment.eums_endpoint_url
EUMS_ORIGINATION_IDENTITY = environment.eums_origination_identity
EUMS_CONFIGURATION_SET = environment.eums_configuration_set
SNS_STS_ENDPOINT_URL = environment.sns_sts_endpoint_url
OUTBOX_DAYS, SIGN_IN_EVENT_DAYS = environment.outbox_days, environment.sign_in_event_days
UNKNOWN_CALLER_AUDIT_DAYS = environment.unknown_caller_audit_days
GUEST_DAYS = environment.guest_days
OUTBOUND_PRIVATE, OUTBOUND_PRIVATE_HOSTS = environment.outbound_private, environment.outbound_private_hosts
INSECURE_PROVIDERS, SOCIAL_PROVIDERS_URL = environment.insecure_providers, environment.social_providers_url
OPENID_PROVIDERS, SAML_PROVIDERS = environment.openid_providers, environment.saml_providers
METRICS_BIND = environment.metrics_bind
METRICS_DIR = environment.metrics_dir
if METRICS_DIR:  # prometheus_client reads the environment when it is first imported: after settings
    try:
        METRICS_DIR.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SystemExit(f"METRICS_DIR: {METRICS_DIR} cannot be made: {problem.strerror}.") from None
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_DIR)
LOG_LEVEL = environment.log_level
LOG_FORMAT = environment.log_format
WIRE_RESPONSE_CHECKS = environment.wire_response_checks

# Names that reach us are checked by identity.middleware against configured hosts (404 before any view),
# because a pool's own domain lives in the database.
ALLOWED_HOSTS = ["*"]
# The console signs its session cookies and forms with a key derived from the sealing keys (identity.apps).
SECRET_KEY = "derived-from-the-sealing-keys-when-the-app-is-ready"  # noqa: S105 - no secret: identity.apps replaces it
ROOT_URLCONF = "identity.urls"
POOL_URLCONF = "identity.pool_urls"
WSGI_APPLICATION = "identity.wsgi.application"
APPEND_SLASH = False
AUTH_USER_MODEL = "identity.Operator"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "identity",
    "pools",
    "federation",
]

# Sessions, CSRF, sign-in and messages of Django serve the console's paths only (identity.console.middleware).
MIDDLEWARE = [
    "identity.middleware.RequestMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "identity.middleware.LanguageMiddleware",
    "identity.console.middleware.OperatorSession",
    "identity.console.middleware.OperatorCsrf",
    "identity.console.middleware.OperatorSignIn",
    "identity.console.middleware.OperatorSecondFactor",
    "identity.console.middleware.OperatorMessages",
    "identity.console.middleware.OperatorHtmx",
]

TEMPLATES = [
    {
        "BACKEND": "identity.templating.NamedLibraries",
        "NAME": "django",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.static", "django.templatetags.i18n"],
            "libraries": {"i18n": "django.templatetags.i18n", "static": "django.templatetags.static"},
        },
    }
]

FORM_RENDERER = "identity.templating.FormTemplates"

DATABASE_PREPARES = environment.database_prepares
DATABASES = {
    "default": server_urls.database(environment.database_url, environment.statement_seconds, prepares=DATABASE_PREPARES)
}
WEB_DATABASE_URL = environment.web_database_url
ALIVE_FILE = environment.alive_file
ATOMIC_REQUESTS = False

SESSION_COOKIE_SECURE = CONSOLE_URL.startswith("https://")
# No other host of the domain can set such a cookie, nor can anybody by http (RFC 6265bis 4.1.3.2).
COOKIE_PREFIX = "__Host-" if SESSION_COOKIE_SECURE else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}operator"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}operator-csrf"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [CONSOLE_URL] if CONSOLE_URL else []
CSRF_FAILURE_VIEW = "identity.console.guard.csrf_refused"
LOGIN_URL = "console:sign_in"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
# No form has a file: one that is sent is dropped, never written to a disk.
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# The texts of the source are English; a further language is one more line here and its catalogue in `locale`.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LANGUAGE_COOKIE_NAME = "lang"  # Cognito's
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["identity.formats"]
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# Development serves files from where they are; whitenoise warns of a root that does not exist.
STATIC_ROOT = None if MODE == "development" else BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = MODE == "development"
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "development"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

EMAIL_BACKEND = "federation.channels.mail_server.MailServer"
SMTP_EHLO_NAME = environment.smtp_ehlo_name
EMAIL_HOST, EMAIL_PORT = environment.smtp_host, environment.smtp_port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = environment.smtp_user, environment.smtp_password
EMAIL_USE_TLS, EMAIL_USE_SSL = (environment.smtp_security == each for each in ("starttls", "tls"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.mail_from

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Cognate management API",
    "DESCRIPTION": "Pools, apps and users as JSON; the same rules as the console and the wire API.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,  # each would be said twice
    "ENUM_NAME_OVERRIDES": {"OAuthFlowsEnum": "identity.console.serializers.FLOWS"},
}

LOGGING_CONFIG = None  # identity.logs sets logging up
